using System.Reflection;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Otr.Core.Crypto;
using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;
using Otr.Core.V3;
using Otr.Core.V3.Smp;

namespace Otr.Core.Tests.Secrets;

/// <summary>Looks for the secrets of sessions in the whole memory of this process, while they are in use and when they are over.</summary>
public sealed class ProcessMemoryTests
{
    private const int Sessions = 20;

    private readonly MemorySearch _exchange = new(), _session = new();
    private readonly List<(Party Us, Party Peer, ReadOnlyMemory<byte> Reveal)> _pairs = [];

    [Theory]
    [InlineData("rotation")]
    [InlineData("end")]
    [InlineData("end of the peer")]
    [InlineData("new key exchange")]
    [InlineData("expiry")]
    [InlineData("dispose")]
    public void Secrets_that_are_over_are_nowhere_in_memory(string how)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc/self/mem.");
        for (var i = 0; i < Sessions; i++) Begin();
        // What is there is found, however often it was moved.
        Assert.Equal(_exchange.All(), _exchange.Find());
        foreach (var (us, peer, reveal) in _pairs) Complete(us, peer, reveal, how);
        Assert.Empty(_exchange.Find());
        Assert.Equal(["AES", "AES schedule", "D-H", "HMAC state", "MAC", "SMP"], _session.All().Keys.Union(["MAC"]).Order(StringComparer.Ordinal));
        Assert.Equal(_session.All(), _session.Find());
        foreach (var (us, peer, _) in _pairs) End(us, peer, how);
        Assert.Empty(_session.Find());
        GC.KeepAlive(_pairs);
    }

    /// <summary>A key exchange up to our Reveal Signature.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Begin()
    {
        // Fresh keys: seeded ones are the same in other tests.
        Party us = new(1, random: SystemRandom.Instance), peer = new(2, random: SystemRandom.Instance);
        var reveal = us.Receive(peer.Receive(us.Receive("?OTRv3?").Wire().Single()).Wire().Single()).Wire().Single();
        var keys = State(us).Sessions[0].Auth.Keys!;
        _exchange.Add("c", keys.C);
        _exchange.Add("c'", keys.CPrime);
        _exchange.Add("m1", keys.M1);
        _exchange.Add("m2", keys.M2);
        _exchange.Add("m1'", keys.M1Prime);
        _exchange.Add("m2'", keys.M2Prime);
        _pairs.Add((us, peer, reveal));
    }

    /// <summary>The session, some texts in it, and an SMP run that waits for the peer.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Complete(Party us, Party peer, ReadOnlyMemory<byte> reveal, string how)
    {
        Network.Run(peer, us, peer.Receive(reveal));
        // The Commit was open for other instances of the peer so far.
        Pass(us, peer, OtrLimits.AkeLifetime);
        Talk(us, peer);
        Network.Run(us, peer, us.Step(new OtrInput.SmpStartRequested("secret".Utf8())));

        // Straight from the state: a snapshot would be a copy of the test's.
        var session = State(us).Best!;
        var ring = session.Keys!;
        _session.Add("D-H", Private<DhKeyPair>(ring, "_current").Private);
        _session.Add("D-H", Private<DhKeyPair>(ring, "_previous").Private);
        var pair = ring.Sending;
        _session.Add("AES", pair.Raw[..SessionKeys.AesKeyLength]);
        _session.Add("AES", pair.Raw[SessionKeys.AesKeyLength..]);
        var direction = Private<SecretBytes>(pair, "_send").Span;
        _session.Add("AES schedule", direction[(AesCtr.ExpandedSize - 16)..]);
        _session.Add("HMAC state", direction[AesCtr.ExpandedSize..]);
        // A rotation reveals it, for the peer has verified something with it.
        if (how != "rotation") AddMacKey(pair);
        var kept = Private<SecretBytes>(session.Smp!, "_kept").Span;
        _session.Add("SMP", kept);
        _session.Add("SMP", kept[SmpSecret.Size..]);
        _session.Add("SMP", kept[(SmpSecret.Size + Group1536.ElementSize)..]);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void AddMacKey(SessionKeys pair)
    {
        Span<byte> mac = stackalloc byte[SessionKeys.MacKeyLength];
        SHA1.HashData(pair.Raw[..SessionKeys.AesKeyLength], mac);
        _session.Add("MAC", mac);
        CryptographicOperations.ZeroMemory(mac);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void End(Party us, Party peer, string how)
    {
        switch (how)
        {
            case "rotation":
                Network.Run(us, peer, us.Step(new OtrInput.SmpAbortRequested()));
                Talk(us, peer);
                Assert.Equal(MessageState.Encrypted, us.Conversation.State);
                break;
            case "end":
                Network.Run(us, peer, us.End());
                break;
            case "end of the peer":
                Network.Run(peer, us, peer.End());
                break;
            case "new key exchange":
                Network.Run(peer, us, peer.Start());
                Assert.Equal(MessageState.Encrypted, us.Conversation.State);
                break;
            case "expiry":
                Pass(us, peer, us.Settings.SessionIdleLifetime);
                break;
            case "dispose":
                us.Conversation.Dispose();
                peer.Conversation.Dispose();
                break;
            default: throw new ArgumentOutOfRangeException(nameof(how), how, "No such end.");
        }
    }

    private static void Talk(Party us, Party peer)
    {
        for (var i = 0; i < 3; i++)
        {
            Network.Run(us, peer, us.Send("ping"));
            Network.Run(peer, us, peer.Send("pong"));
        }
    }

    private static void Pass(Party us, Party peer, long milliseconds)
    {
        foreach (var party in (Party[])[us, peer])
        {
            party.Now += milliseconds;
            party.Step(new OtrInput.TimePassed());
        }
    }

    private static ConversationState State(Party party) => Private<ConversationState>(party.Conversation, "_state");

    private static T Private<T>(object of, string field) =>
        (T)of.GetType().GetField(field, BindingFlags.NonPublic | BindingFlags.Instance)!.GetValue(of)!;
}
