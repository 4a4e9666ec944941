using Otr.Core.Crypto;
using Otr.Core.Wire;

namespace Otr.Core.V3.Ake;

/// <summary>The D-H Commit Message (spec v3): g^x under a key still unknown to the receiver, and its hash.</summary>
internal readonly ref struct DhCommitMessage
{
    /// <summary>An MPI of at most 192 bytes and its length.</summary>
    public const int MaxEncryptedLength = 4 + Group1536.ElementSize;
    public const int HashLength = 32;

    public ReadOnlySpan<byte> EncryptedGx { get; private init; }
    public ReadOnlySpan<byte> HashedGx { get; private init; }

    public static bool TryParse(ref OtrReader reader, out DhCommitMessage message)
    {
        message = new DhCommitMessage { EncryptedGx = reader.ReadData(), HashedGx = reader.ReadData() };
        return reader.IsComplete && message.HashedGx.Length == HashLength && message.EncryptedGx.Length is >= 5 and <= MaxEncryptedLength;
    }

    public static void Write(ref OtrWriter writer, ReadOnlySpan<byte> encryptedGx, ReadOnlySpan<byte> hashedGx)
    {
        writer.Data(encryptedGx);
        writer.Data(hashedGx);
    }
}

/// <summary>The D-H Key Message (spec v3): g^y. The range is the state machine's to check.</summary>
internal static class DhKeyMessage
{
    /// <param name="gy">192 bytes, filled right-aligned.</param>
    public static bool TryParse(ref OtrReader reader, scoped Span<byte> gy)
    {
        reader.ReadElement(gy);
        return reader.IsComplete;
    }

    public static void Write(ref OtrWriter writer, ReadOnlySpan<byte> gy) => writer.Mpi(gy);
}

/// <summary>The Reveal Signature Message (spec v3): r, X_B under c, and its MAC under m2.</summary>
internal readonly ref struct RevealSignatureMessage
{
    public const int KeyLength = 16;

    public ReadOnlySpan<byte> R { get; private init; }
    public EncryptedSignature Signature { get; private init; }

    public static bool TryParse(ref OtrReader reader, out RevealSignatureMessage message)
    {
        var r = reader.ReadData();
        message = new RevealSignatureMessage { R = r, Signature = EncryptedSignature.Read(ref reader) };
        return reader.IsComplete && r.Length == KeyLength;
    }
}

/// <summary>The last two fields of a Reveal Signature and all of a Signature message.</summary>
internal readonly ref struct EncryptedSignature
{
    public const int MacLength = 20;

    /// <summary>X under c or c'.</summary>
    public ReadOnlySpan<byte> Ciphertext { get; private init; }
    /// <summary>First 20 bytes of HMAC-SHA256 over the ciphertext's DATA encoding.</summary>
    public ReadOnlySpan<byte> Mac { get; private init; }

    public static EncryptedSignature Read(ref OtrReader reader) =>
        new() { Ciphertext = reader.ReadData(), Mac = reader.ReadFixed(MacLength) };
}
