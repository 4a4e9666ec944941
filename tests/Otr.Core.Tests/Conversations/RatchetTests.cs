using Otr.Core.Crypto;
using Otr.Core.Tests.Kit;
using Otr.Core.V3;
using Otr.Core.Wire;

namespace Otr.Core.Tests.Conversations;

/// <summary>Keys that must not come back, and keys that must not be lost.</summary>
public sealed class RatchetTests
{
    private readonly Party _us = new(1), _peer = new(2);

    private void Talk()
    {
        Network.Run(_us, _peer, _us.Send("ping"));
        Network.Run(_peer, _us, _peer.Send("pong"));
    }

    [Fact, Trait("hostile", "D05")]
    public void A_peer_cannot_announce_the_key_before_its_current_one()
    {
        Network.Establish(_us, _peer);
        Talk();
        Talk();
        Network.Run(_us, _peer, _us.Send("and the peer rotates"));
        using var insider = new Insider(_peer);
        var before = _us.Look(s => new Fields().Mpi(Big.Number(s.Best!.Keys!.TheirsPrevious)).ToArray());
        var view = StateView.Of(_us);
        var effects = _us.Receive(insider.Text("x", f => f with { NextY = before }));
        Assert.Equal(RejectReason.InvalidGroupElement, effects.OfType<OtrEffect.Rejected>().Single().Reason);
        Assert.Equal(view, StateView.Of(_us));
        Assert.Equal("y", _us.Receive(insider.Text("y")).OfType<OtrEffect.DeliverText>().Single().Text.ToText());
    }

    [Fact, Trait("hostile", "D05")]
    public void Counters_go_on_rising_while_our_key_is_the_same_whatever_the_peer_announces()
    {
        var random = new SeededRandom(5);
        byte[][] theirs = [.. Enumerable.Range(0, 3).Select(_ => DhKeyPair.Generate(random).Public)];
        var own = DhKeyPair.Generate(random);
        var ring = new KeyRing(own, theirs[0], 1, Keys(own, theirs[0]), random);
        var seen = new HashSet<(string, ulong)>();
        for (var i = 1; i <= 12; i++)
        {
            if (i == 7) ring = Restart(ring);
            for (var n = 0; n < 2; n++) Assert.True(seen.Add((Convert.ToHexString(ring.Sending.Raw), ring.CountSent(ring.Sending))));
            ring.Rotate(ring.TheirKeyId, ring.OurKeyId - 1, theirs[i % 3], random);
        }
        ring.Rotate(ring.TheirKeyId, ring.OurKeyId, theirs[1], random);
        Assert.Equal(1ul, ring.CountSent(ring.Sending));
    }

    [Fact]
    public void Keys_that_are_still_to_be_revealed_are_revealed_in_the_next_session()
    {
        Network.Establish(_us, _peer);
        Talk();
        Talk();
        var due = _us.Look(s => s.Best!.Keys!.ToReveal.Select(Convert.ToHexString).ToArray());
        Assert.NotEmpty(due);
        Network.Run(_peer, _us, _peer.Start());
        _us.Restore(_us.Snapshot());
        var revealed = ReadData.Of(_us.Send("x").Wire().Single()).Revealed.Chunk(20).Select(Convert.ToHexString);
        Assert.Equal(due, revealed);
        Assert.Empty(ReadData.Of(_us.Send("once").Wire().Single()).Revealed);
    }

    private static SessionKeys Keys(DhKeyPair own, byte[] theirs)
    {
        var s = new byte[Group1536.ElementSize];
        own.Agree(theirs, s);
        return SessionKeys.Derive(s, own.Public, theirs);
    }

    private static KeyRing Restart(KeyRing ring)
    {
        var writer = new OtrWriter(64);
        ring.WriteSnapshot(ref writer);
        var reader = new OtrReader(writer.ToArrayAndDispose());
        return KeyRing.ReadSnapshot(ref reader, 4)!;
    }
}
