using System.Buffers.Binary;
using System.Security.Cryptography;
using Otr.Core.Crypto;
using Otr.Core.Crypto.Ed448;
using Otr.Core.Smp;
using Otr.Core.Wire;

namespace Otr.Core.V4.Smp;

/// <summary>SMP of version 4, on Ed448 (checklist C10). Every number and point takes 57 bytes.</summary>
internal sealed class SmpArithmetic4 : SmpArithmetic
{
    private const int Size = Ed448Point.Size;
    private const byte SecretVersion = 0x01;
    /// <summary>Points and scalars of the messages, in the order of their numbers.</summary>
    private const int Fields1 = 6, Fields2 = 11, Fields3 = 8, Fields4 = 3;

    private readonly bool _asOtr4j;

    private SmpArithmetic4(bool asOtr4j) => _asOtr4j = asOtr4j;

    private static SmpArithmetic4 Specified { get; } = new(asOtr4j: false);

    private static SmpArithmetic4 Otr4j { get; } = new(asOtr4j: true);

    /// <summary>With the secret as the settings want it.</summary>
    public static SmpArithmetic4 Of(OtrSettings settings) => settings.HashesSmpSecretAsOtr4j ? Otr4j : Specified;

    public override int SecretSize => Ed448Scalar.Size;

    public override int MaxMessageBytes => sizeof(uint) + Fields2 * Size;

    public override bool IsSmp(ushort tlvType) => tlvType is >= TlvType.Smp1 and <= TlvType.SmpAbort;

    public override bool Begins(ushort tlvType) => tlvType == TlvType.Smp1;

    /// <summary>
    /// HWC(19 ‖ 01 ‖ fingerprints ‖ ssid ‖ DATA(secret)), as a scalar: 57 bytes, pruned, as the text has it, or 64 bytes as they are, as
    /// otr4j does. Nothing on the wire tells which form a peer uses; between the two a right answer fails.
    /// </summary>
    public override void DeriveSecret(
        Fingerprint initiator, Fingerprint responder, ulong ssid, ReadOnlySpan<byte> userSecret, Span<byte> destination)
    {
        if (userSecret.Length > OtrLimits.MaxSmpSecretBytes)
            throw new ArgumentException($"An SMP secret has at most {OtrLimits.MaxSmpSecretBytes} bytes.", nameof(userSecret));
        const int fixedSize = 1 + 2 * Fingerprint.Ed448Size + sizeof(ulong) + sizeof(uint);
        Span<byte> head = stackalloc byte[fixedSize];
        head[0] = SecretVersion;
        initiator.CopyTo(head[1..]);
        responder.CopyTo(head[(1 + Fingerprint.Ed448Size)..]);
        BinaryPrimitives.WriteUInt64BigEndian(head[(1 + 2 * Fingerprint.Ed448Size)..], ssid);
        BinaryPrimitives.WriteInt32BigEndian(head[(fixedSize - sizeof(uint))..], userSecret.Length);
        Span<byte> hash = stackalloc byte[64];
        if (!_asOtr4j) hash = hash[..Ed448Scalar.Size];
        Kdf.Derive(KdfUsage.SmpSecret, hash, head, userSecret);
        if (!_asOtr4j) Ed448Scalar.Prune(hash);
        using var scalar = Ed448Scalar.Reduce(hash);
        scalar.Encode(destination);
        CryptographicOperations.ZeroMemory(hash);
        CryptographicOperations.ZeroMemory(head);
    }

    /// <summary>Draws a2, a3, r2, r3. Keeps x ‖ a2 ‖ a3.</summary>
    public override SmpTlv Message1(ReadOnlySpan<byte> secret, ReadOnlyMemory<byte>? question, IRandomSource random, out SecretBytes kept)
    {
        using var drawn = new SmpScalars4(4, random);
        Ed448Scalar a2 = drawn[0], a3 = drawn[1];
        var asked = question is { } q ? q.Span : default;
        var value = new byte[sizeof(uint) + asked.Length + Fields1 * Size];
        BinaryPrimitives.WriteInt32BigEndian(value, asked.Length);
        asked.CopyTo(value.AsSpan(sizeof(uint)));
        var message = new SmpWriter4(value.AsSpan(sizeof(uint) + asked.Length));
        message.Point(Ed448Point.MultiplyBase(a2));
        SmpProof4.ProveLog(SmpPrefix4.LogA2, a2, drawn[2], ref message);
        message.Point(Ed448Point.MultiplyBase(a3));
        SmpProof4.ProveLog(SmpPrefix4.LogA3, a3, drawn[3], ref message);

        kept = new SecretBytes(KeptSize(SmpPhase.ExpectMessage2));
        secret.CopyTo(kept.Span);
        var keeping = new SmpWriter4(kept.Span[Size..]);
        keeping.Scalar(a2);
        keeping.Scalar(a3);
        return new SmpTlv(TlvType.Smp1, value);
    }

    /// <summary>Keeps G2a ‖ G3a.</summary>
    public override bool TryTakeMessage1(ushort tlvType, ReadOnlySpan<byte> value, out byte[]? question, out SecretBytes? kept)
    {
        (question, kept) = (null, null);
        using var message = new SmpReader4(value);
        var asked = message.Data();
        if (!asked.IsEmpty) question = asked.ToArray();
        if (asked.Length > OtrLimits.MaxSmpQuestionBytes) return true;
        var g2a = message.Point();
        Ed448Scalar c2 = message.Scalar(), d2 = message.Scalar();
        var g3a = message.Point();
        Ed448Scalar c3 = message.Scalar(), d3 = message.Scalar();
        if (!message.IsComplete) return false;
        if (!SmpProof4.VerifyLog(SmpPrefix4.LogA2, g2a, c2, d2) || !SmpProof4.VerifyLog(SmpPrefix4.LogA3, g3a, c3, d3)) return false;
        kept = new SecretBytes(KeptSize(SmpPhase.WaitingForSecret));
        var keeping = new SmpWriter4(kept.Span);
        keeping.Point(g2a);
        keeping.Point(g3a);
        return true;
    }

    /// <summary>Draws b2, b3, r2, r3, r4, r5, r6. Keeps b3 ‖ G3a ‖ G2 ‖ G3 ‖ Pb ‖ Qb.</summary>
    public override byte[] Message2(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> known, IRandomSource random, out SecretBytes kept)
    {
        using Ed448Point g2a = Ed448Point.Restore(known[..Size]), g3a = Ed448Point.Restore(known[Size..]);
        using var y = Ed448Scalar.Reduce(secret);
        using var drawn = new SmpScalars4(7, random);
        Ed448Scalar b2 = drawn[0], b3 = drawn[1], r4 = drawn[4];
        using Ed448Point g2 = g2a.Multiply(b2), g3 = g3a.Multiply(b3);
        using Ed448Point pb = g3.Multiply(r4), qb = SmpProof4.Sum(r4, g2, y);
        var value = new byte[Fields2 * Size];
        var message = new SmpWriter4(value);
        message.Point(Ed448Point.MultiplyBase(b2));
        SmpProof4.ProveLog(SmpPrefix4.LogB2, b2, drawn[2], ref message);
        message.Point(Ed448Point.MultiplyBase(b3));
        SmpProof4.ProveLog(SmpPrefix4.LogB3, b3, drawn[3], ref message);
        message.Point(pb);
        message.Point(qb);
        SmpProof4.ProveCoordinates(SmpPrefix4.CoordinatesB, g2, g3, r4, y, drawn[5], drawn[6], ref message);

        kept = new SecretBytes(KeptSize(SmpPhase.ExpectMessage3));
        var keeping = new SmpWriter4(kept.Span);
        keeping.Scalar(b3);
        foreach (var point in (ReadOnlySpan<Ed448Point>)[g3a, g2, g3, pb, qb]) keeping.Point(point);
        return value;
    }

    /// <summary>Draws r4, r5, r6, r7. Keeps a3 ‖ G3b ‖ Pa − Pb ‖ Qa − Qb.</summary>
    public override byte[]? Message3(ReadOnlySpan<byte> value, ReadOnlySpan<byte> known, IRandomSource random, out SecretBytes? kept)
    {
        kept = null;
        using var x = Ed448Scalar.Reduce(known[..Size]);
        using Ed448Scalar a2 = Ed448Scalar.Reduce(known.Slice(Size, Size)), a3 = Ed448Scalar.Reduce(known.Slice(2 * Size, Size));
        using var message2 = new SmpReader4(value);
        var g2b = message2.Point();
        Ed448Scalar c2 = message2.Scalar(), d2 = message2.Scalar();
        var g3b = message2.Point();
        Ed448Scalar c3 = message2.Scalar(), d3 = message2.Scalar();
        Ed448Point pb = message2.Point(), qb = message2.Point();
        Ed448Scalar cp = message2.Scalar(), d5 = message2.Scalar(), d6 = message2.Scalar();
        if (!message2.IsComplete) return null;
        if (!SmpProof4.VerifyLog(SmpPrefix4.LogB2, g2b, c2, d2) || !SmpProof4.VerifyLog(SmpPrefix4.LogB3, g3b, c3, d3)) return null;
        using Ed448Point g2 = g2b.Multiply(a2), g3 = g3b.Multiply(a3);
        if (!SmpProof4.VerifyCoordinates(SmpPrefix4.CoordinatesB, g2, g3, pb, qb, cp, d5, d6)) return null;

        using var drawn = new SmpScalars4(4, random);
        var r4 = drawn[0];
        using Ed448Point pa = g3.Multiply(r4), qa = SmpProof4.Sum(r4, g2, x);
        if (pa.FixedTimeEquals(pb) || qa.FixedTimeEquals(qb)) return null;
        using Ed448Point p = pa.Subtract(pb), q = qa.Subtract(qb);
        var result = new byte[Fields3 * Size];
        var message = new SmpWriter4(result);
        message.Point(pa);
        message.Point(qa);
        SmpProof4.ProveCoordinates(SmpPrefix4.CoordinatesA, g2, g3, r4, x, drawn[1], drawn[2], ref message);
        using var ra = q.Multiply(a3);
        message.Point(ra);
        SmpProof4.ProveEqualLogs(SmpPrefix4.EqualLogsA, q, a3, drawn[3], ref message);

        kept = new SecretBytes(KeptSize(SmpPhase.ExpectMessage4));
        var keeping = new SmpWriter4(kept.Span);
        keeping.Scalar(a3);
        foreach (var point in (ReadOnlySpan<Ed448Point>)[g3b, p, q]) keeping.Point(point);
        return result;
    }

    /// <summary>Draws r7.</summary>
    public override byte[]? Message4(ReadOnlySpan<byte> value, ReadOnlySpan<byte> known, IRandomSource random, out bool equal)
    {
        equal = false;
        using var b3 = Ed448Scalar.Reduce(known[..Size]);
        using Ed448Point g3a = Kept(known, 1), g2 = Kept(known, 2), g3 = Kept(known, 3), pb = Kept(known, 4), qb = Kept(known, 5);
        using var message3 = new SmpReader4(value);
        Ed448Point pa = message3.Point(), qa = message3.Point();
        Ed448Scalar cp = message3.Scalar(), d5 = message3.Scalar(), d6 = message3.Scalar();
        var ra = message3.Point();
        Ed448Scalar cr = message3.Scalar(), d7 = message3.Scalar();
        if (!message3.IsComplete || pa.FixedTimeEquals(pb) || qa.FixedTimeEquals(qb)) return null;
        if (!SmpProof4.VerifyCoordinates(SmpPrefix4.CoordinatesA, g2, g3, pa, qa, cp, d5, d6)) return null;
        using Ed448Point p = pa.Subtract(pb), q = qa.Subtract(qb);
        if (!SmpProof4.VerifyEqualLogs(SmpPrefix4.EqualLogsA, g3a, q, ra, cr, d7)) return null;

        using var drawn = new SmpScalars4(1, random);
        using var rb = q.Multiply(b3);
        var result = new byte[Fields4 * Size];
        var message = new SmpWriter4(result);
        message.Point(rb);
        SmpProof4.ProveEqualLogs(SmpPrefix4.EqualLogsB, q, b3, drawn[0], ref message);
        equal = EqualSecrets(ra, b3, p);
        return result;
    }

    public override bool? Compare(ReadOnlySpan<byte> value, ReadOnlySpan<byte> known)
    {
        using var a3 = Ed448Scalar.Reduce(known[..Size]);
        using Ed448Point g3b = Kept(known, 1), p = Kept(known, 2), q = Kept(known, 3);
        using var message = new SmpReader4(value);
        var rb = message.Point();
        Ed448Scalar cr = message.Scalar(), d7 = message.Scalar();
        if (!message.IsComplete || !SmpProof4.VerifyEqualLogs(SmpPrefix4.EqualLogsB, g3b, q, rb, cr, d7)) return null;
        return EqualSecrets(rb, a3, p);
    }

    /// <summary>Rab = R·exponent3 = Pa − Pb exactly if the secrets are equal.</summary>
    private static bool EqualSecrets(Ed448Point r, Ed448Scalar exponent3, Ed448Point difference)
    {
        using var rab = r.Multiply(exponent3);
        return rab.FixedTimeEquals(difference);
    }

    private static Ed448Point Kept(ReadOnlySpan<byte> known, int index) => Ed448Point.Restore(known.Slice(index * Size, Size));

    public override int KeptSize(SmpPhase phase) => phase switch
    {
        SmpPhase.WaitingForSecret => 2 * Size,
        SmpPhase.ExpectMessage2 => 3 * Size,
        SmpPhase.ExpectMessage3 => 6 * Size,
        SmpPhase.ExpectMessage4 => 4 * Size,
        _ => 0,
    };

    // What a phase keeps before its points are scalars of any value.
    public override bool IsKept(SmpPhase phase, ReadOnlySpan<byte> kept)
    {
        var points = phase switch
        {
            SmpPhase.WaitingForSecret => kept,
            SmpPhase.ExpectMessage3 or SmpPhase.ExpectMessage4 => kept[Size..],
            _ => default,
        };
        for (; !points.IsEmpty; points = points[Size..])
        {
            if (!Ed448Point.TryDecode(points[..Size], out var point)) return false;
            point.Dispose();
        }
        return true;
    }
}
