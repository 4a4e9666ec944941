using Otr.Core.Crypto;

namespace Otr.Core.Smp;

/// <summary>
/// What a version computes for the socialist millionaires' protocol: the messages, their proofs, and the number that is compared.
/// <see cref="SmpState"/> decides which of it is due. What a step must keep for the next one is one piece of secret memory with a fixed
/// layout, which is also its snapshot. Without state: one instance serves all sessions.
/// </summary>
internal abstract class SmpArithmetic
{
    /// <summary>Bytes of the derived secret.</summary>
    public abstract int SecretSize { get; }

    /// <summary>Longest message without a question, in bytes.</summary>
    public abstract int MaxMessageBytes { get; }

    /// <summary>Whether a TLV of this type belongs to SMP.</summary>
    public abstract bool IsSmp(ushort tlvType);

    /// <summary>Whether a TLV of this type begins a run.</summary>
    public abstract bool Begins(ushort tlvType);

    /// <summary>
    /// Derives the number that the two sides compare. The roles are those of SMP, whoever started the key exchange.
    /// </summary>
    /// <param name="userSecret">At most <see cref="OtrLimits.MaxSmpSecretBytes"/>, taken as they are: nothing is normalised.</param>
    /// <param name="destination"><see cref="SecretSize"/> bytes; the caller wipes them.</param>
    public abstract void DeriveSecret(
        Fingerprint initiator, Fingerprint responder, ulong ssid, ReadOnlySpan<byte> userSecret, Span<byte> destination);

    /// <summary>Makes message 1, as initiator.</summary>
    /// <param name="question">Null for none.</param>
    public abstract SmpTlv Message1(ReadOnlySpan<byte> secret, ReadOnlyMemory<byte>? question, IRandomSource random, out SecretBytes kept);

    /// <summary>Checks message 1, as responder. False: it is not what an honest peer sends.</summary>
    /// <param name="tlvType">A type that <see cref="Begins"/> a run.</param>
    /// <param name="question">
    /// Null if none was sent; longer than <see cref="OtrLimits.MaxSmpQuestionBytes"/> only without anything else.
    /// </param>
    public abstract bool TryTakeMessage1(ushort tlvType, ReadOnlySpan<byte> value, out byte[]? question, out SecretBytes? kept);

    /// <summary>Makes message 2, once the responder's user has given the secret.</summary>
    public abstract byte[] Message2(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> known, IRandomSource random, out SecretBytes kept);

    /// <summary>Checks message 2 and makes message 3. Null: the message is not what an honest peer sends.</summary>
    public abstract byte[]? Message3(ReadOnlySpan<byte> value, ReadOnlySpan<byte> known, IRandomSource random, out SecretBytes? kept);

    /// <summary>
    /// Checks message 3, compares, and makes message 4, which the initiator needs also when the secrets differ. Null: the message is not
    /// what an honest peer sends.
    /// </summary>
    public abstract byte[]? Message4(ReadOnlySpan<byte> value, ReadOnlySpan<byte> known, IRandomSource random, out bool equal);

    /// <summary>Checks message 4 and compares. Null: the message is not what an honest peer sends.</summary>
    public abstract bool? Compare(ReadOnlySpan<byte> value, ReadOnlySpan<byte> known);

    /// <summary>Bytes kept in a phase.</summary>
    public abstract int KeptSize(SmpPhase phase);

    /// <summary>Whether what a snapshot says was kept in a phase is something that the arithmetic is defined for.</summary>
    public abstract bool IsKept(SmpPhase phase, ReadOnlySpan<byte> kept);
}
