using System.Buffers;
using Otr.Core.Smp;
using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;
using Otr.Core.V3.Ake;
using Otr.Core.Wire;

namespace Otr.Core.Tests.Snapshots;

/// <summary>A snapshot of every state comes back as it was, and the conversation goes on.</summary>
public sealed class SnapshotTests
{
    private static readonly OtrSettings Version2 = new() { Policy = OtrPolicy.AllowV2 };

    /// <summary>A situation, and how it goes on: true if what was under way came to its end.</summary>
    private sealed record Situation(Party Us, Func<bool> Continues);

    public static TheoryData<string> Situations =>
    [
        "new", "queried", "held", "awaiting key", "awaiting reveal", "awaiting signature", "awaiting reveal v2", "encrypted", "encrypted v2", "talked", "finished",
        "fragments", "smp waiting", "smp expect 2", "smp expect 3", "smp expect 4", "instances", "pinned", "tagged", "reveals pending", "lost text",
    ];

    private static Situation Make(string name)
    {
        Party us = new(1), peer = new(2);
        switch (name)
        {
            case "new": return new(us, () => Ends(us, peer, peer.Start()));
            case "queried":
                var query = us.Start();
                return new(us, () => Ends(us, peer, [], query));
            case "held":
                us.Send("held", 3);
                return new(us, () => Ends(us, peer, peer.Start()) && peer.PrivateTexts.First() == "held" && us.All.Contains(new OtrEffect.SendOutcome(3, SendDisposition.Encrypted)));
            case "awaiting key":
                var key = peer.Receive(us.Receive("?OTRv3?").Wire().Single());
                return new(us, () => us.Look(s => s.Broadcast.State) == AuthState.AwaitingDhKey && Ends(us, peer, key));
            case "awaiting reveal" or "awaiting reveal v2":
                if (name.EndsWith('2')) (us, peer) = (new Party(1, Version2), new Party(2, Version2));
                var reveal = peer.Receive(us.Receive(peer.Receive(name.EndsWith('2') ? "?OTRv2?" : "?OTRv3?").Wire().Single()).Wire().Single());
                return new(us, () => us.Look(s => s.Sessions[0].Auth.State) == AuthState.AwaitingRevealSig && Ends(us, peer, reveal));
            case "awaiting signature":
                var signature = peer.Receive(us.Receive(peer.Receive(us.Receive("?OTRv3?").Wire().Single()).Wire().Single()).Wire().Single());
                return new(us, () => us.Look(s => s.Sessions[0].Auth.State) == AuthState.AwaitingSig && Ends(us, peer, signature));
            case "encrypted v2":
                (us, peer) = (new Party(1, Version2), new Party(2, Version2));
                Network.Establish(us, peer);
                return new(us, () => Talks(us, peer));
            case "finished":
                Network.Establish(us, peer);
                us.Receive(peer.End().Wire().Single());
                return new(us, () => us.Conversation.State == MessageState.Finished && us.Send("x").Single() is OtrEffect.Refused && Ends(us, peer, peer.Start()));
            case "fragments":
                var small = new Party(2, new OtrSettings { MaxWireBytes = 100 });
                Network.Establish(us, small);
                var pieces = small.Send("in pieces").Wire().ToArray();
                foreach (var piece in pieces[..^1]) us.Receive(piece);
                return new(us, () => us.Receive(pieces[^1]).OfType<OtrEffect.DeliverText>().Single().Text.ToText() == "in pieces");
            case "instances":
                var second = new Party(3);
                Network.Establish(us, peer);
                us.Now += 10;
                Network.Establish(us, second);
                return new(us, () => us.Conversation.Sessions.Count == 2 && us.Conversation.Sessions[0].PeerInstanceTag == second.Account.InstanceTag && Talks(us, second));
            case "pinned":
                us = new Party(1, new OtrSettings { Policy = OtrPolicy.Manual });
                Network.Establish(us, peer);
                us.End();
                return new(us, () => us.Receive("?OTRv2?").Single() is OtrEffect.Rejected { Reason: RejectReason.VersionNotAllowed });
            case "tagged":
                us = new Party(1, new OtrSettings { Policy = OtrPolicy.Opportunistic });
                us.Send("x");
                us.Receive("no otr here");
                return new(us, () => us.Send("y").Wire().Single().ToText() == "y");
        }
        Network.Establish(us, peer);
        switch (name)
        {
            case "lost text":
                us = new Party(1, new OtrSettings { ResendsLast = true });
                Network.Establish(us, peer);
                us.Send("lost");
                us.Receive("?OTR Error: unreadable");
                return new(us, () => Ends(us, peer, peer.Start()) && peer.PrivateTexts.Contains("[resent] lost"));
            case "encrypted": return new(us, () => Talks(us, peer));
            case "talked":
                Assert.True(Talks(us, peer) && Talks(us, peer));
                return new(us, () => Talks(us, peer));
            case "reveals pending":
                Assert.True(Talks(us, peer) && Talks(us, peer));
                Assert.NotEqual(0, us.Look(s => s.Best!.Keys!.ToReveal.Count));
                return new(us, () => ReadData.Of(us.Send("x").Wire().Single()).Revealed.Length > 0);
            case "smp expect 2":
                var message1 = us.Step(new OtrInput.SmpStartRequested("s".Utf8()));
                return new(us, () => SmpEnds(us, peer, message1, SmpPhase.ExpectMessage2));
            case "smp waiting":
                Network.Run(peer, us, peer.Step(new OtrInput.SmpStartRequested("s".Utf8())));
                return new(us, () => SmpEnds(us, peer, null, SmpPhase.WaitingForSecret));
            case "smp expect 3":
                Network.Run(peer, us, peer.Step(new OtrInput.SmpStartRequested("s".Utf8())));
                var message2 = us.Step(new OtrInput.SmpAnswerRequested(us.All.OfType<OtrEffect.SmpAnswerNeeded>().Single().Token, "s".Utf8()));
                return new(us, () => SmpEnds(us, peer, message2, SmpPhase.ExpectMessage3));
            case "smp expect 4":
                peer.Receive(us.Step(new OtrInput.SmpStartRequested("s".Utf8())).Wire().Single());
                var answer = peer.Step(new OtrInput.SmpAnswerRequested(peer.All.OfType<OtrEffect.SmpAnswerNeeded>().Single().Token, "s".Utf8()));
                var message3 = us.Receive(answer.Wire().Single());
                return new(us, () => SmpEnds(us, peer, message3, SmpPhase.ExpectMessage4));
            default: throw new ArgumentOutOfRangeException(nameof(name));
        }
    }

    private static bool Ends(Party us, Party peer, IEnumerable<OtrEffect> fromPeer, IEnumerable<OtrEffect>? fromUs = null)
    {
        Network.Run(us, peer, fromUs ?? [], fromPeer);
        return us.Conversation.State == MessageState.Encrypted && Talks(us, peer);
    }

    private static bool Talks(Party us, Party peer)
    {
        Network.Run(us, peer, us.Send("ping"));
        Network.Run(peer, us, peer.Send("pong"));
        return peer.PrivateTexts.Last() == "ping" && us.PrivateTexts.Last() == "pong";
    }

    private static bool SmpEnds(Party us, Party peer, IEnumerable<OtrEffect>? sent, SmpPhase phase)
    {
        Assert.Equal(phase, us.Look(s => s.Best!.Smp!.Phase));
        sent ??= us.Step(new OtrInput.SmpAnswerRequested(us.All.OfType<OtrEffect.SmpAnswerNeeded>().Single().Token, "s".Utf8()));
        Network.Run(us, peer, sent);
        if (peer.All.OfType<OtrEffect.SmpAnswerNeeded>().SingleOrDefault() is { } request && phase == SmpPhase.ExpectMessage2)
            Network.Run(peer, us, peer.Step(new OtrInput.SmpAnswerRequested(request.Token, "s".Utf8())));
        return us.All.Concat(peer.All).OfType<OtrEffect.SmpChanged>().Count(c => c.Outcome == SmpOutcome.Success) == 2;
    }

    [Theory]
    [MemberData(nameof(Situations))]
    public void A_state_comes_back_and_goes_on(string name)
    {
        var situation = Make(name);
        var snapshot = situation.Us.Snapshot();
        var sessions = situation.Us.Conversation.Sessions;
        var deadline = situation.Us.Conversation.NextDeadline;
        situation.Us.Restore(snapshot);
        Assert.Equal(snapshot, situation.Us.Snapshot());
        Assert.Equal(sessions, situation.Us.Conversation.Sessions);
        Assert.Equal(deadline, situation.Us.Conversation.NextDeadline);
        Assert.True(situation.Continues());
    }

    [Theory]
    [MemberData(nameof(Situations))]
    public void Truncated_or_lengthened_it_is_refused(string name)
    {
        var us = Make(name).Us;
        var snapshot = us.Snapshot();
        for (var length = 0; length < snapshot.Length; length++) Assert.False(Restores(us, snapshot[..length]));
        Assert.False(Restores(us, [.. snapshot, 0]));
        Assert.False(Restores(us, [.. snapshot, .. snapshot]));
    }

    [Theory]
    [MemberData(nameof(Situations))]
    public void With_a_flipped_bit_it_is_refused_or_read_as_it_stands_and_fails_closed(string name)
    {
        var us = Make(name).Us;
        var snapshot = us.Snapshot();
        var random = new Random(1);
        for (var i = 0; i < 300; i++)
        {
            var bent = (byte[])snapshot.Clone();
            bent[random.Next(bent.Length)] ^= (byte)(1 << random.Next(8));
            if (!OtrConversation.TryRestore(bent, us.Account, us.Settings, out var conversation)) continue;
            // Nothing that was read is dropped or changed on the way, so nothing that is there was not looked at.
            var again = new ArrayBufferWriter<byte>();
            conversation.WriteSnapshot(again);
            Assert.Equal(bent, again.WrittenSpan.ToArray());
            var effects = new List<OtrEffect>();
            var environment = new OtrEnvironment(us.Now, new SeededRandom(i));
            var isPrivate = us.Settings.Policy.HasFlag(OtrPolicy.RequireEncryption) || conversation.State != MessageState.Plaintext;
            var received = new OtrInput.WireReceived(Recording.Of(3)["data"].Wire);
            OtrInput[] inputs = [new OtrInput.TimePassed(), received, new OtrInput.SendRequested("secret".Utf8())];
            foreach (var input in inputs) conversation.Step(input, environment, effects);
            if (isPrivate) Assert.DoesNotContain(effects.Wire(), w => w.ToText().Contains("secret", StringComparison.Ordinal));
            conversation.Step(new OtrInput.EndRequested(), environment, effects);
            Assert.Equal(MessageState.Plaintext, conversation.State);
            conversation.Dispose();
        }
    }

    [Theory]
    [InlineData("talked")]
    [InlineData("smp waiting")]
    [InlineData("smp expect 3")]
    [InlineData("smp expect 4")]
    public void Elements_out_of_range_are_refused(string name)
    {
        var us = Make(name).Us;
        var snapshot = us.Snapshot();
        // The peer's D-H keys, or what SMP keeps of the group, wherever they are: private numbers are shorter, exponents come first.
        var elements = us.Look(s => name == "talked"
            ? new List<byte[]> { s.Best!.Keys!.Theirs.ToArray(), s.Best!.Keys!.TheirsPrevious.ToArray() }
            : SmpElements(s.Best!.Smp!));
        foreach (var element in elements)
        {
            var at = snapshot.AsSpan().IndexOf(element);
            Assert.True(at > 0);
            foreach (var bad in new[] { 0, 1, Big.P - 1, Big.P })
                Assert.False(Restores(us, [.. snapshot[..at], .. Big.Bytes(bad, 192), .. snapshot[(at + 192)..]]));
            Assert.True(Restores(us, [.. snapshot[..at], .. Big.Bytes(2, 192), .. snapshot[(at + 192)..]]));
        }
    }

    /// <summary>Phase, question, token, then what is kept.</summary>
    private static List<byte[]> SmpElements(SmpState smp)
    {
        var writer = new OtrWriter(64);
        smp.WriteSnapshot(ref writer);
        var kept = writer.ToArrayAndDispose()[10..];
        return [.. kept.Chunk(192).Skip(smp.Phase == SmpPhase.WaitingForSecret ? 0 : 1)];
    }

    [Fact]
    public void It_is_refused_for_another_account_key_or_tag_and_in_another_format()
    {
        var us = Make("talked").Us;
        var snapshot = us.Snapshot();
        Assert.True(Restores(us, snapshot));
        Assert.False(OtrConversation.TryRestore(snapshot, us.Account with { InstanceTag = 0x1234 }, us.Settings, out _));
        Assert.False(OtrConversation.TryRestore(snapshot, us.Account with { Key = TestKeys.Of(2) }, us.Settings, out _));
        foreach (var version in Enumerable.Range(0, 256).Except([1, snapshot[0]]))
            Assert.False(Restores(us, [(byte)version, .. snapshot[1..]]));
        Assert.False(Restores(us, []));
    }

    [Fact]
    public void A_snapshot_of_format_version_1_is_read_and_goes_on()
    {
        // Written by the engine when that was its format: an encrypted session with an SMP request that waits.
        var lines = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Snapshots", "version-1.hex"));
        var us = new Party(1);
        us.Restore(Convert.FromHexString(lines[0]));
        Assert.Equal(SmpPhase.WaitingForSecret, us.Look(s => s.Best!.Smp!.Phase));
        us.Receive(lines[1]);
        Assert.Equal(["written for version 1"], us.PrivateTexts);
        Assert.Equal(0x03, WireText.TypeOf(us.Send("answer").Wire().Single()));
    }

    [Fact]
    public void It_takes_two_kilobytes_at_most_after_an_exchange_and_four_messages()
    {
        foreach (var weCommit in new[] { true, false })
        {
            Party us = new(1), peer = new(2);
            if (weCommit) Network.Establish(peer, us);
            else Network.Establish(us, peer);
            Assert.True(Talks(us, peer) && Talks(us, peer));
            var length = us.Snapshot().Length;
            TestContext.Current.TestOutputHelper?.WriteLine($"A snapshot after an exchange and four messages: {length} bytes");
            Assert.InRange(length, 500, 2048 - 64);
        }
    }

    private static bool Restores(Party us, byte[] snapshot) => OtrConversation.TryRestore(snapshot, us.Account, us.Settings, out _);
}
