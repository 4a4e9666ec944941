using Otr.Core.Crypto;

namespace Otr.Core.V3.Smp;

/// <summary>
/// The responder's steps (spec v3, "Overview", Bob): the check of message 1, message 2, the check of message 3 with
/// message 4. What a step must keep for the next is one piece of secret memory with a fixed layout, which is also its
/// snapshot.
/// </summary>
internal static class SmpResponder
{
    private const int Size = Group1536.ElementSize;

    /// <summary>g2a ‖ g3a, kept while the user's secret is awaited.</summary>
    public const int WaitingForSecretSize = 2 * Size;

    /// <summary>b3 ‖ g3a ‖ g2 ‖ g3 ‖ Pb ‖ Qb, kept while message 3 is awaited.</summary>
    public const int ExpectMessage3Size = 6 * Size;

    /// <summary>Checks message 1. False: the message is not what an honest peer sends.</summary>
    /// <param name="value">The TLV's value, without a question.</param>
    public static bool TryTakeMessage1(ReadOnlySpan<byte> value, out SecretBytes? kept)
    {
        kept = null;
        var message = new SmpPayload(SmpPayload.Message1, stackalloc byte[6 * Size]);
        if (!message.TryRead(value)) return false;
        if (!SmpProof.VerifyLog(SmpPrefix.LogA2, message[0], message[1], message[2])) return false;
        if (!SmpProof.VerifyLog(SmpPrefix.LogA3, message[3], message[4], message[5])) return false;
        kept = new SecretBytes(WaitingForSecretSize);
        message[0].CopyTo(kept.Span);
        message[3].CopyTo(kept.Span[Size..]);
        return true;
    }

    /// <summary>Makes message 2 once the user has given the secret.</summary>
    /// <param name="secret">y, 32 bytes.</param>
    /// <param name="known">What message 1 left.</param>
    public static byte[] Message2(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> known, IRandomSource random, out SecretBytes kept)
    {
        ReadOnlySpan<byte> g2a = known[..Size], g3a = known[Size..];
        using var r = new SmpScratch(stackalloc byte[7 * Size], random);
        ReadOnlySpan<byte> b2 = r[0], b3 = r[1], r2 = r[2], r3 = r[3], r4 = r[4], r5 = r[5], r6 = r[6];
        SmpScratch.MakeEven(r[0]);
        SmpScratch.MakeEven(r[1]);

        kept = new SecretBytes(ExpectMessage3Size);
        b3.CopyTo(kept.Span);
        g3a.CopyTo(kept.Span[Size..]);
        var g2 = kept.Span.Slice(2 * Size, Size);
        var g3 = kept.Span.Slice(3 * Size, Size);
        Group1536.Exp(g2, g2a, b2);
        Group1536.Exp(g3, g3a, b3);

        var message = new SmpPayload(SmpPayload.Message2, stackalloc byte[11 * Size]);
        Group1536.ExpG(message[0], b2);
        SmpProof.ProveLog(SmpPrefix.LogB2, b2, r2, message[1], message[2]);
        Group1536.ExpG(message[3], b3);
        SmpProof.ProveLog(SmpPrefix.LogB3, b3, r3, message[4], message[5]);
        SmpGroup.Coordinates(g2, g3, r4, secret, message[6], message[7]);
        SmpProof.ProveCoordinates(SmpPrefix.CoordinatesB, g2, g3, r4, secret, r5, r6, message[8], message[9], message[10]);
        message[6].CopyTo(kept.Span[(4 * Size)..]);
        message[7].CopyTo(kept.Span[(5 * Size)..]);
        return message.Write();
    }

    /// <summary>
    /// Checks message 3, compares, and makes message 4, which the initiator needs also when the secrets differ. Null: the
    /// message is not what an honest peer sends.
    /// </summary>
    /// <param name="known">What message 2 kept.</param>
    public static byte[]? Message4(ReadOnlySpan<byte> value, ReadOnlySpan<byte> known, IRandomSource random, out bool equal)
    {
        equal = false;
        ReadOnlySpan<byte> b3 = known[..Size], g3a = known.Slice(Size, Size), g2 = known.Slice(2 * Size, Size), g3 = known.Slice(3 * Size, Size);
        ReadOnlySpan<byte> pb = known.Slice(4 * Size, Size), qb = known.Slice(5 * Size, Size);

        var message3 = new SmpPayload(SmpPayload.Message3, stackalloc byte[8 * Size]);
        if (!message3.TryRead(value)) return null;
        ReadOnlySpan<byte> pa = message3[0], qa = message3[1], ra = message3[5];
        if (pa.SequenceEqual(pb) || qa.SequenceEqual(qb)) return null;
        if (!SmpProof.VerifyCoordinates(SmpPrefix.CoordinatesA, g2, g3, pa, qa, message3[2], message3[3], message3[4])) return null;
        using var ratios = new SmpScratch(stackalloc byte[2 * Size]);
        Span<byte> pRatio = ratios[0], qRatio = ratios[1];
        SmpGroup.Divide(pRatio, pa, pb, qRatio, qa, qb);
        if (!SmpProof.VerifyEqualLogs(SmpPrefix.EqualLogsA, g3a, qRatio, ra, message3[6], message3[7])) return null;

        using var r = new SmpScratch(stackalloc byte[Size], random);
        var message4 = new SmpPayload(SmpPayload.Message4, stackalloc byte[3 * Size]);
        Group1536.Exp(message4[0], qRatio, b3);
        SmpProof.ProveEqualLogs(SmpPrefix.EqualLogsB, qRatio, b3, r[0], message4[1], message4[2]);
        equal = SmpGroup.EqualSecrets(ra, b3, pRatio);
        return message4.Write();
    }
}
