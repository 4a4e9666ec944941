using Otr.Core.Crypto;

namespace Otr.Core.V3.Smp;

/// <summary>
/// The initiator's steps (spec v3, "Overview", Alice): messages 1 and 3, the checks of messages 2 and 4. What a step must
/// keep for the next is one piece of secret memory with a fixed layout, which is also its snapshot.
/// </summary>
internal static class SmpInitiator
{
    private const int Size = Group1536.ElementSize;

    /// <summary>x ‖ a2 ‖ a3, kept while message 2 is awaited.</summary>
    public const int ExpectMessage2Size = SmpSecret.Size + 2 * Size;

    /// <summary>a3 ‖ g3b ‖ Pa/Pb ‖ Qa/Qb, kept while message 4 is awaited.</summary>
    public const int ExpectMessage4Size = 4 * Size;

    /// <summary>Makes message 1: g2a = g1^a2 and g3a = g1^a3, each with a proof.</summary>
    /// <param name="secret">x, 32 bytes.</param>
    /// <param name="prefix">Goes before the payload: the question with its NUL.</param>
    public static byte[] Message1(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> prefix, IRandomSource random, out SecretBytes kept)
    {
        kept = new SecretBytes(ExpectMessage2Size);
        secret.CopyTo(kept.Span);
        random.Fill(kept.Span[SmpSecret.Size..]);
        var a2 = kept.Span.Slice(SmpSecret.Size, Size);
        var a3 = kept.Span.Slice(SmpSecret.Size + Size, Size);
        SmpScratch.MakeEven(a2);
        SmpScratch.MakeEven(a3);

        using var r = new SmpScratch(stackalloc byte[2 * Size], random);
        var message = new SmpPayload(SmpPayload.Message1, stackalloc byte[6 * Size]);
        Group1536.ExpG(message[0], a2);
        SmpProof.ProveLog(SmpPrefix.LogA2, a2, r[0], message[1], message[2]);
        Group1536.ExpG(message[3], a3);
        SmpProof.ProveLog(SmpPrefix.LogA3, a3, r[1], message[4], message[5]);
        return message.Write(prefix);
    }

    /// <summary>Checks message 2 and makes message 3. Null: the message is not what an honest peer sends.</summary>
    /// <param name="value">The TLV's value.</param>
    /// <param name="known">What message 1 kept.</param>
    public static byte[]? Message3(ReadOnlySpan<byte> value, ReadOnlySpan<byte> known, IRandomSource random, out SecretBytes? kept)
    {
        kept = null;
        var x = known[..SmpSecret.Size];
        var a2 = known.Slice(SmpSecret.Size, Size);
        var a3 = known.Slice(SmpSecret.Size + Size, Size);

        var message2 = new SmpPayload(SmpPayload.Message2, stackalloc byte[11 * Size]);
        if (!message2.TryRead(value)) return null;
        ReadOnlySpan<byte> g2b = message2[0], g3b = message2[3], pb = message2[6], qb = message2[7];
        if (!SmpProof.VerifyLog(SmpPrefix.LogB2, g2b, message2[1], message2[2])) return null;
        if (!SmpProof.VerifyLog(SmpPrefix.LogB3, g3b, message2[4], message2[5])) return null;
        using var shared = new SmpScratch(stackalloc byte[2 * Size]);
        Span<byte> g2 = shared[0], g3 = shared[1];
        Group1536.Exp(g2, g2b, a2);
        Group1536.Exp(g3, g3b, a3);
        if (!SmpProof.VerifyCoordinates(SmpPrefix.CoordinatesB, g2, g3, pb, qb, message2[8], message2[9], message2[10])) return null;

        using var r = new SmpScratch(stackalloc byte[4 * Size], random);
        ReadOnlySpan<byte> r4 = r[0], r5 = r[1], r6 = r[2], r7 = r[3];
        var message3 = new SmpPayload(SmpPayload.Message3, stackalloc byte[8 * Size]);
        Span<byte> pa = message3[0], qa = message3[1];
        SmpGroup.Coordinates(g2, g3, r4, x, pa, qa);
        if (pa.SequenceEqual(pb) || qa.SequenceEqual(qb)) return null;
        SmpProof.ProveCoordinates(SmpPrefix.CoordinatesA, g2, g3, r4, x, r5, r6, message3[2], message3[3], message3[4]);

        kept = new SecretBytes(ExpectMessage4Size);
        a3.CopyTo(kept.Span);
        g3b.CopyTo(kept.Span[Size..]);
        var ratio = kept.Span.Slice(3 * Size, Size);
        SmpGroup.Divide(kept.Span.Slice(2 * Size, Size), pa, pb, ratio, qa, qb);
        Group1536.Exp(message3[5], ratio, a3);
        SmpProof.ProveEqualLogs(SmpPrefix.EqualLogsA, ratio, a3, r7, message3[6], message3[7]);
        return message3.Write();
    }

    /// <summary>Checks message 4 and compares. Null: the message is not what an honest peer sends.</summary>
    /// <param name="known">What message 3 kept.</param>
    public static bool? Compare(ReadOnlySpan<byte> value, ReadOnlySpan<byte> known)
    {
        ReadOnlySpan<byte> a3 = known[..Size], g3b = known.Slice(Size, Size), pRatio = known.Slice(2 * Size, Size), qRatio = known.Slice(3 * Size, Size);
        var message = new SmpPayload(SmpPayload.Message4, stackalloc byte[3 * Size]);
        if (!message.TryRead(value)) return null;
        if (!SmpProof.VerifyEqualLogs(SmpPrefix.EqualLogsB, g3b, qRatio, message[0], message[1], message[2])) return null;
        return SmpGroup.EqualSecrets(message[0], a3, pRatio);
    }
}
