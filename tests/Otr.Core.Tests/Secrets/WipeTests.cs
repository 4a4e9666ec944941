using System.Buffers;
using Otr.Core.Crypto;
using Otr.Core.Smp;
using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;
using Otr.Core.V3;
using Otr.Core.V3.Ake;
using Otr.Core.V3.Smp;
using Otr.Core.Wire;

namespace Otr.Core.Tests.Secrets;

/// <summary>
/// Every piece of secret memory that conversations take, watched from the outside: what is no longer part of a live state is zero.
/// </summary>
public sealed class WipeTests : IDisposable
{
    private const int PrivateKey = DhKeyPair.PrivateLength, AesKeys = 2 * SessionKeys.AesKeyLength;

    private readonly List<byte[]> _made = SecretPool.Watched = [];
    private readonly Party _us = new(1), _peer = new(2);

    public void Dispose() => SecretPool.Watched = null;

    private void Talk()
    {
        Network.Run(_us, _peer, _us.Send("ping"));
        Network.Run(_peer, _us, _peer.Send("pong"));
    }

    private string[] NotWiped(int length) =>
        [.. _made.Where(b => b.Length == length && b.AsSpan().ContainsAnyExcept((byte)0)).Select(Convert.ToHexString).Order()];

    private void AssertAllWiped()
    {
        Assert.NotEmpty(_made);
        Assert.Equal(0, _made.Count(b => b.AsSpan().ContainsAnyExcept((byte)0)));
    }

    /// <summary>What the states of these parties hold, read from their snapshots without being watched.</summary>
    private T[] Live<T>(Func<ConversationState, IEnumerable<T>> look, params Party[] parties)
    {
        SecretPool.Watched = null;
        var live = parties.SelectMany(p => p.Look(s => look(s).ToArray())).Order().ToArray();
        SecretPool.Watched = _made;
        return live;
    }

    private static IEnumerable<string> PrivateKeys(ConversationState state)
    {
        foreach (var session in state.Sessions.Where(s => s.Keys is not null))
        {
            var writer = new OtrWriter(64);
            session.Keys!.WriteSnapshot(ref writer);
            var bytes = writer.ToArrayAndDispose();
            yield return Convert.ToHexString(bytes, 4, PrivateKey);
            yield return Convert.ToHexString(bytes, 4 + PrivateKey + Group1536.ElementSize, PrivateKey);
        }
        if (state.Broadcast.Own is { } own) yield return Convert.ToHexString(own.Private);
    }

    [Fact]
    public void Rotation_leaves_the_keys_of_the_newest_two_and_no_other()
    {
        Network.Establish(_us, _peer);
        for (var i = 0; i < 6; i++)
        {
            Talk();
            Assert.Equal(Live(PrivateKeys, _us, _peer), NotWiped(PrivateKey));
            // Two of ours with two of theirs, on each side.
            Assert.InRange(NotWiped(AesKeys).Length, 2, 8);
        }
        // Old pairs with their schedules and midstates: far more were made than there are.
        var directions = AesCtr.ExpandedSize + HmacSha1.PreparedSize;
        Assert.InRange(NotWiped(directions).Length, 2, 8);
        Assert.True(_made.Count(b => b.Length == directions) > 16);
    }

    [Fact]
    public void A_key_exchange_leaves_nothing_of_itself_nor_of_the_session_it_replaces()
    {
        Network.Establish(_us, _peer);
        Talk();
        Network.Establish(_us, _peer);
        Assert.Empty(NotWiped(AkeKeys.RawLength));
        Assert.Contains(_made, b => b.Length == AkeKeys.RawLength);
        // The Commit stays open for other instances until it expires.
        Assert.Equal(Live(PrivateKeys, _us, _peer), NotWiped(PrivateKey));
        Assert.Equal(2, NotWiped(AesKeys).Length);
        _us.Now = _peer.Now += OtrLimits.AkeLifetime;
        foreach (var party in (Party[])[_us, _peer]) party.Step(new OtrInput.TimePassed());
        Assert.Empty(NotWiped(RevealSignatureMessage.KeyLength));
        Assert.Equal(Live(PrivateKeys, _us, _peer), NotWiped(PrivateKey));
    }

    [Theory]
    [InlineData("by us")]
    [InlineData("by the peer")]
    [InlineData("idle")]
    [InlineData("dispose")]
    public void The_end_of_a_session_leaves_nothing(string end)
    {
        Network.Establish(_us, _peer);
        Talk();
        _us.Now = _peer.Now += OtrLimits.AkeLifetime;
        foreach (var party in (Party[])[_us, _peer]) party.Step(new OtrInput.TimePassed());
        Assert.NotEmpty(NotWiped(PrivateKey));
        switch (end)
        {
            case "by us":
            case "by the peer":
                var (ends, hears) = end == "by us" ? (_us, _peer) : (_peer, _us);
                Network.Run(ends, hears, ends.End());
                break;
            case "idle":
                _us.Now = _peer.Now += new OtrSettings().SessionIdleLifetime;
                foreach (var party in (Party[])[_us, _peer]) party.Step(new OtrInput.TimePassed());
                break;
            default:
                _us.Conversation.Dispose();
                _peer.Conversation.Dispose();
                break;
        }
        AssertAllWiped();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_key_exchange_that_is_broken_off_leaves_nothing(int messages)
    {
        var wire = _us.Receive("?OTRv3?").Wire().Single();
        for (var i = 0; i < messages; i++) wire = (i % 2 == 0 ? _peer : _us).Receive(wire).Wire().Single();
        Assert.NotEmpty(NotWiped(PrivateKey));
        foreach (var party in (Party[])[_us, _peer])
        {
            if (messages % 2 == 0) party.Conversation.Dispose();
            else
            {
                party.Now += OtrLimits.AkeLifetime;
                party.Step(new OtrInput.TimePassed());
                party.End();
            }
        }
        AssertAllWiped();
    }

    [Theory]
    [InlineData("success")]
    [InlineData("abort")]
    [InlineData("new exchange")]
    [InlineData("end")]
    public void Smp_leaves_nothing_of_its_secrets(string end)
    {
        Network.Establish(_us, _peer);
        Network.Run(_peer, _us, _peer.Step(new OtrInput.SmpStartRequested("s".Utf8())));
        var token = _us.All.OfType<OtrEffect.SmpAnswerNeeded>().Single().Token;
        var answer = _us.Step(new OtrInput.SmpAnswerRequested(token, "s".Utf8()));
        int[] ours = [SmpResponder.WaitingForSecretSize, SmpResponder.ExpectMessage3Size];
        int[] sizes = [.. ours, SmpInitiator.ExpectMessage2Size, SmpInitiator.ExpectMessage4Size];
        Assert.Equal(2, sizes.Sum(s => NotWiped(s).Length));
        switch (end)
        {
            case "success": Network.Run(_us, _peer, answer); break;
            case "abort": Network.Run(_us, _peer, answer.Concat(_us.Step(new OtrInput.SmpAbortRequested()))); break;
            case "new exchange":
                Network.Run(_us, _peer, _us.Start());
                break;
            default: Network.Run(_us, _peer, _us.End()); break;
        }
        Assert.Equal(0, sizes.Sum(s => NotWiped(s).Length));
    }

    [Fact]
    public void Wiped_memory_is_not_looked_at_again()
    {
        var secret = new SecretBytes("secret"u8);
        secret.Dispose();
        secret.Dispose();
        Assert.Throws<ObjectDisposedException>(() => secret.Span.Length);
        AssertAllWiped();
    }

    [Fact]
    public void What_comes_back_from_the_pool_is_zero()
    {
        SecretPool.Watched = null;
        for (var i = 0; i < 3; i++)
        {
            var secret = new SecretBytes(77);
            Assert.False(secret.Span.ContainsAnyExcept((byte)0));
            secret.Span.Fill(0xA5);
            secret.Dispose();
        }
    }

    [Fact]
    public void A_writer_s_buffer_is_wiped_when_it_grows_shrinks_and_is_disposed_of()
    {
        var writer = new OtrWriter(16);
        var small = writer.Reserve(16);
        small.Fill(0xA5);
        writer.Reserve(5000).Fill(0xA5);
        Assert.False(small.ContainsAnyExcept((byte)0));
        var all = writer.WrittenMutable;
        writer.Truncate(100);
        Assert.False(all[100..].ContainsAnyExcept((byte)0));
        Assert.True(all[..100].ContainsAnyExcept((byte)0));
        writer.Dispose();
        Assert.False(all.ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void The_scratch_of_an_smp_message_is_wiped()
    {
        var memory = new byte[2 * SmpScratch.Size];
        using (new SmpScratch(memory, new SeededRandom(1))) Assert.True(memory.AsSpan().ContainsAnyExcept((byte)0));
        Assert.False(memory.AsSpan().ContainsAnyExcept((byte)0));
    }
}
