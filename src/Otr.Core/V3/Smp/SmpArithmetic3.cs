using Otr.Core.Crypto;
using Otr.Core.Smp;
using Otr.Core.Wire;

namespace Otr.Core.V3.Smp;

/// <summary>SMP of versions 2 and 3, in the 1536-bit group.</summary>
internal sealed class SmpArithmetic3 : SmpArithmetic
{
    /// <summary>The only one: it has no state.</summary>
    public static SmpArithmetic3 Instance { get; } = new();

    public override int SecretSize => SmpSecret.Size;

    public override int MaxMessageBytes => SmpPayload.MaxBytes;

    public override bool IsSmp(ushort tlvType) => TlvType.IsSmp(tlvType);

    public override bool Begins(ushort tlvType) => tlvType is TlvType.Smp1 or TlvType.Smp1Q;

    public override void DeriveSecret(
        Fingerprint initiator, Fingerprint responder, ulong ssid, ReadOnlySpan<byte> userSecret, Span<byte> destination) =>
        SmpSecret.Derive(initiator, responder, ssid, userSecret, destination);

    public override SmpTlv Message1(ReadOnlySpan<byte> secret, ReadOnlyMemory<byte>? question, IRandomSource random, out SecretBytes kept)
    {
        byte[] prefix = question is { } q ? [.. q.Span, 0] : [];
        var message = SmpInitiator.Message1(secret, prefix, random, out kept);
        return new SmpTlv(question is null ? TlvType.Smp1 : TlvType.Smp1Q, message);
    }

    public override bool TryTakeMessage1(ushort tlvType, ReadOnlySpan<byte> value, out byte[]? question, out SecretBytes? kept)
    {
        (question, kept) = (null, null);
        if (tlvType == TlvType.Smp1Q)
        {
            var end = value.IndexOf((byte)0);
            if (end < 0) return false;
            question = value[..end].ToArray();
            if (question.Length > OtrLimits.MaxSmpQuestionBytes) return true;
            value = value[(end + 1)..];
        }
        return SmpResponder.TryTakeMessage1(value, out kept);
    }

    public override byte[] Message2(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> known, IRandomSource random, out SecretBytes kept) =>
        SmpResponder.Message2(secret, known, random, out kept);

    public override byte[]? Message3(ReadOnlySpan<byte> value, ReadOnlySpan<byte> known, IRandomSource random, out SecretBytes? kept) =>
        SmpInitiator.Message3(value, known, random, out kept);

    public override byte[]? Message4(ReadOnlySpan<byte> value, ReadOnlySpan<byte> known, IRandomSource random, out bool equal) =>
        SmpResponder.Message4(value, known, random, out equal);

    public override bool? Compare(ReadOnlySpan<byte> value, ReadOnlySpan<byte> known) => SmpInitiator.Compare(value, known);

    public override int KeptSize(SmpPhase phase) => phase switch
    {
        SmpPhase.WaitingForSecret => SmpResponder.WaitingForSecretSize,
        SmpPhase.ExpectMessage2 => SmpInitiator.ExpectMessage2Size,
        SmpPhase.ExpectMessage3 => SmpResponder.ExpectMessage3Size,
        SmpPhase.ExpectMessage4 => SmpInitiator.ExpectMessage4Size,
        _ => 0,
    };

    // What a phase keeps before its elements are exponents of any value.
    public override bool IsKept(SmpPhase phase, ReadOnlySpan<byte> kept)
    {
        var elements = phase switch
        {
            SmpPhase.WaitingForSecret => kept,
            SmpPhase.ExpectMessage3 or SmpPhase.ExpectMessage4 => kept[Group1536.ElementSize..],
            _ => default,
        };
        for (; !elements.IsEmpty; elements = elements[Group1536.ElementSize..])
        {
            if (!Group1536.IsInRange(elements[..Group1536.ElementSize])) return false;
        }
        return true;
    }
}
