using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;
using Otr.Core.Wire;

namespace Otr.Core.Tests.V4;

/// <summary>Where a side stands: in a DAKE, and with a session beside it or not.</summary>
public enum DakeIn { Start, WaitingAuthR, WaitingAuthI, Encrypted, EncryptedWaitingAuthR, Finished }

/// <summary>What can arrive.</summary>
public enum DakeInput { Query, IdentityLower, IdentityHigher, AuthRGood, AuthROther, AuthIGood, AuthIOther }

/// <summary>The table of checklist C7.8 as data; every pair of state and input has a row. The DAKE is beside the message state.</summary>
public class DakeStateTableTests
{
    private const int Nothing = 0, Identity = 0x35, AuthR = 0x36, AuthI = 0x37;

    /// <param name="Sends">Type byte of the answer; 0 for none.</param>
    private sealed record Row(DakeIn State, DakeInput Input, int Sends, RejectReason? Reject = null, bool Completes = false);

    private static Row Ignored(DakeIn state, DakeInput input) => new(state, input, Nothing, RejectReason.UnexpectedAkeMessage);

    private static readonly Row[] Table =
    [
        .. Idle(DakeIn.Start), .. Idle(DakeIn.Encrypted), .. Idle(DakeIn.Finished),
        .. Waiting(DakeIn.WaitingAuthR), .. Waiting(DakeIn.EncryptedWaitingAuthR),

        // A query so soon repeats the message before; an Identity message is answered anew, whatever was answered before.
        new(DakeIn.WaitingAuthI, DakeInput.Query, AuthR),
        new(DakeIn.WaitingAuthI, DakeInput.IdentityLower, AuthR),
        new(DakeIn.WaitingAuthI, DakeInput.IdentityHigher, AuthR),
        Ignored(DakeIn.WaitingAuthI, DakeInput.AuthRGood), Ignored(DakeIn.WaitingAuthI, DakeInput.AuthROther),
        new(DakeIn.WaitingAuthI, DakeInput.AuthIGood, Nothing, Completes: true),
        new(DakeIn.WaitingAuthI, DakeInput.AuthIOther, Nothing, RejectReason.BadSignature),
    ];

    private static Row[] Idle(DakeIn state) =>
    [
        new(state, DakeInput.Query, Identity), new(state, DakeInput.IdentityLower, AuthR), new(state, DakeInput.IdentityHigher, AuthR),
        Ignored(state, DakeInput.AuthRGood), Ignored(state, DakeInput.AuthROther),
        Ignored(state, DakeInput.AuthIGood), Ignored(state, DakeInput.AuthIOther),
    ];

    // The lower hash loses: its sender answers as if it had sent nothing.
    private static Row[] Waiting(DakeIn state) =>
    [
        new(state, DakeInput.Query, Identity), new(state, DakeInput.IdentityLower, Identity), new(state, DakeInput.IdentityHigher, AuthR),
        new(state, DakeInput.AuthRGood, AuthI, Completes: true), new(state, DakeInput.AuthROther, Nothing, RejectReason.BadSignature),
        Ignored(state, DakeInput.AuthIGood), Ignored(state, DakeInput.AuthIOther),
    ];

    public static TheoryData<DakeIn, DakeInput> Pairs =>
        [.. Table.Select(r => (r.State, r.Input))];

    [Fact]
    public void Every_pair_has_one_row() =>
        Assert.Equal(
            Enum.GetValues<DakeIn>().Length * Enum.GetValues<DakeInput>().Length, Table.DistinctBy(r => (r.State, r.Input)).Count());

    [Theory, MemberData(nameof(Pairs))]
    public void A_pair_of_state_and_input_does_what_its_row_says(DakeIn state, DakeInput input)
    {
        var row = Table.Single(r => r.State == state && r.Input == input);
        var (us, wire) = Prepare(state, input);
        var sessions = us.Look(s => string.Join(' ', s.Sessions.Select(x => (x.State, x.Ssid))));
        var before = StateView.Of(us);
        var effects = us.Receive(wire);
        var sent = effects.Wire().Where(w => w.Span.StartsWith("?OTR:"u8)).Select(w => (int)WireText.TypeOf(w)).ToArray();
        Assert.Equal(row.Sends == Nothing ? [] : [row.Sends], sent);
        Assert.Equal(row.Reject, effects.OfType<OtrEffect.Rejected>().SingleOrDefault()?.Reason);
        Assert.Equal(row.Completes, effects.OfType<OtrEffect.SessionChanged>().Any(c => c.Cause == SessionCause.KeyExchange));
        if (row.Reject is not null) Assert.Equal(before, StateView.Of(us));
        // What does not complete leaves the session that is there as it was.
        if (!row.Completes && state is DakeIn.Encrypted or DakeIn.EncryptedWaitingAuthR or DakeIn.Finished)
            Assert.Equal(sessions, us.Look(s => string.Join(' ', s.Sessions.Select(x => (x.State, x.Ssid)))));
    }

    private static (Party Us, byte[] Wire) Prepare(DakeIn state, DakeInput input)
    {
        var (us, peer) = Party4.Pair();
        if (state >= DakeIn.Encrypted)
        {
            Network.Establish(us, peer);
            if (state == DakeIn.Finished) Network.Run(peer, us, peer.End());
            us.Now = peer.Now += 60_000;
        }
        ReadOnlyMemory<byte> ours = default;
        if (state is DakeIn.WaitingAuthR or DakeIn.EncryptedWaitingAuthR) ours = us.Receive("?OTRv4?").Wire().Single();
        ReadOnlyMemory<byte> honestAuthI = default;
        if (state == DakeIn.WaitingAuthI)
            honestAuthI = peer.Receive(us.Receive(peer.Receive("?OTRv4?").Wire().Single()).Wire().Single()).Wire().Single();
        var wire = input switch
        {
            DakeInput.Query => "?OTRv4?".Utf8(),
            DakeInput.IdentityLower or DakeInput.IdentityHigher => IdentityOf(ours, input == DakeInput.IdentityHigher, us.Now),
            DakeInput.AuthRGood when !ours.IsEmpty => Other(us.Now).Receive(ours).Wire().Single().ToArray(),
            DakeInput.AuthRGood or DakeInput.AuthROther =>
                Other(us.Now).Receive(Party4.New(1, 2, random: 500).Receive("?OTRv4?").Wire().Single()).Wire().Single().ToArray(),
            DakeInput.AuthIGood when !honestAuthI.IsEmpty => honestAuthI.ToArray(),
            _ => WireText.Encode([0, 4, AuthI, 0, 0, 0x10, 0x02, 0, 0, 0x10, 0x01, .. new byte[342]]),
        };
        return (us, wire);
    }

    /// <summary>The peer in a process of its own, that has no session.</summary>
    private static Party Other(long now, int random = 600)
    {
        var other = Party4.New(2, 1, random: random);
        other.Now = now;
        return other;
    }

    /// <summary>An Identity message of the peer that wins or loses against ours; any, if there is none.</summary>
    private static byte[] IdentityOf(ReadOnlyMemory<byte> ours, bool wins, long now)
    {
        for (var seed = 700; ; seed++)
        {
            var wire = Other(now, seed).Receive("?OTRv4?").Wire().Single();
            if (ours.IsEmpty || Hash(wire).AsSpan().SequenceCompareTo(Hash(ours)) > 0 == wins) return wire.ToArray();
        }
    }

    /// <summary>SHAKE-256(MPI(B), 32), by the BCL.</summary>
    private static byte[] Hash(ReadOnlyMemory<byte> wire)
    {
        var dh = DakeFields.Of(wire).Dh;
        return System.Security.Cryptography.Shake256.HashData([0, 0, (byte)(dh.Length >> 8), (byte)dh.Length, .. dh], 32);
    }
}
