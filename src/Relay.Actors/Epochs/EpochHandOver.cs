using System.Security.Cryptography;
using Relay.Storage.Sealing;

namespace Relay.Actors.Epochs;

/// <summary>
/// Hands an epoch's secret from one node to another through the database: ECIES with P-256, HKDF-SHA256 and AES-256-GCM. Both private
/// keys are of this one hand-over and exist in memory only, so what the database's log keeps of it opens nothing later, not even with the
/// sealing key. That both are nodes is proved by the seal of the document that carries it.
/// </summary>
internal sealed class EpochHandOver : IDisposable
{
    /// <summary>An uncompressed point: 4 ‖ x ‖ y.</summary>
    public const int PublicKeySize = 65;

    /// <summary>Bytes of an answer: public key ‖ sealed secret ‖ tag.</summary>
    public const int AnswerSize = PublicKeySize + SealingEpochs.SecretSize + TagSize;

    private const int TagSize = 16, CoordinateSize = 32;
    private readonly ECDiffieHellman _own = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>The public key of the node that asks.</summary>
    public byte[] PublicKey => Export(_own);

    /// <summary>Seals a secret for the node that asks.</summary>
    /// <param name="epoch">The secret's epoch, which is authenticated.</param>
    /// <returns>Null if the public key is none.</returns>
    public static byte[]? Answer(ReadOnlySpan<byte> asking, uint epoch, ReadOnlySpan<byte> secret)
    {
        using var ephemeral = new EpochHandOver();
        var answer = new byte[AnswerSize];
        ephemeral.PublicKey.CopyTo(answer, 0);
        if (ephemeral.Agree(asking, asking, answer.AsSpan(0, PublicKeySize)) is not { } key) return null;
        using (var gcm = new AesGcm(key, TagSize))
        {
            // The key is of this value alone.
            gcm.Encrypt(new byte[12], secret, answer.AsSpan(PublicKeySize, SealingEpochs.SecretSize), answer.AsSpan(^TagSize..),
                BitConverter.GetBytes(epoch));
        }
        CryptographicOperations.ZeroMemory(key);
        return answer;
    }

    /// <summary>Opens the answer.</summary>
    /// <returns>False if it is not one to this key, or of another epoch.</returns>
    public bool TryOpen(ReadOnlySpan<byte> answer, uint epoch, Span<byte> secret)
    {
        if (answer.Length != AnswerSize || Agree(answer[..PublicKeySize], PublicKey, answer[..PublicKeySize]) is not { } key) return false;
        try
        {
            using var gcm = new AesGcm(key, TagSize);
            gcm.Decrypt(new byte[12], answer.Slice(PublicKeySize, SealingEpochs.SecretSize), answer[^TagSize..], secret,
                BitConverter.GetBytes(epoch));
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private byte[]? Agree(ReadOnlySpan<byte> other, ReadOnlySpan<byte> asking, ReadOnlySpan<byte> answering)
    {
        if (other.Length != PublicKeySize || other[0] != 4) return null;
        try
        {
            using var imported = ECDiffieHellman.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new ECPoint { X = other.Slice(1, CoordinateSize).ToArray(), Y = other[(1 + CoordinateSize)..].ToArray() },
            });
            var shared = _own.DeriveRawSecretAgreement(imported.PublicKey);
            var key = HKDF.DeriveKey(HashAlgorithmName.SHA256, shared, 32, salt: [],
                info: [.. "relay/v1/epoch/hand-over"u8, .. asking, .. answering]);
            CryptographicOperations.ZeroMemory(shared);
            return key;
        }
        catch (CryptographicException)
        {
            // Not a point of the curve.
            return null;
        }
    }

    private static byte[] Export(ECDiffieHellman key)
    {
        var q = key.ExportParameters(includePrivateParameters: false).Q;
        return [4, .. q.X!, .. q.Y!];
    }

    public void Dispose() => _own.Dispose();
}
