using System.Buffers.Binary;
using System.Security.Cryptography;
using Otr.Core.Crypto;
using Otr.Core.Keys;
using Otr.Core.Wire;

namespace Otr.Core.V3.Ake;

/// <summary>
/// What a verified X of the peer says. It can only be made by <see cref="SignatureCodec.TryVerify"/>: whoever holds one
/// knows that MAC and signature were right.
/// </summary>
internal sealed class VerifiedPeer
{
    private VerifiedPeer(DsaPublicKey key, uint keyId) => (Key, KeyId) = (key, keyId);

    public DsaPublicKey Key { get; }
    /// <summary>The peer's D-H key id, above 0.</summary>
    public uint KeyId { get; }

    /// <summary>X = PUBKEY ‖ INT keyid ‖ SIG, under c (or c') and a MAC under m2 (or m2') (spec v3, "Reveal Signature Message").</summary>
    internal static class SignatureCodec
    {
        private const ushort DsaKeyType = 0;
        private const int SignatureLength = 40;

        /// <summary>Writes the DATA-encoded ciphertext and its MAC.</summary>
        /// <param name="own">The signer's D-H public key.</param>
        /// <param name="peer">The other one's. Own first, for each author.</param>
        public static void Write(ref OtrWriter writer, DsaPrivateKey key, uint keyId, ReadOnlySpan<byte> own, ReadOnlySpan<byte> peer,
            ReadOnlySpan<byte> c, ReadOnlySpan<byte> m1, ReadOnlySpan<byte> m2)
        {
            var x = new OtrWriter(512);
            try
            {
                WritePublicKey(ref x, key.PublicKey);
                Span<byte> m = stackalloc byte[32];
                ComputeM(m1, own, peer, x.Written, keyId, m);
                x.UInt32(keyId);
                key.Sign(m, x.Reserve(SignatureLength));
                AesCtr.Transform(c, 0, x.Written, x.WrittenMutable);
                var start = writer.Length;
                writer.Data(x.Written);
                Span<byte> mac = stackalloc byte[32];
                HMACSHA256.HashData(m2, writer.Written[start..], mac);
                writer.Raw(mac[..EncryptedSignature.MacLength]);
            }
            finally { x.Dispose(); }
        }

        /// <summary>Checks the MAC before it decrypts, then key, id and signature; nothing else follows in X.</summary>
        /// <param name="signer">The D-H public key of the peer, who signed.</param>
        /// <param name="own">Ours.</param>
        public static VerifiedPeer? TryVerify(in EncryptedSignature signed, ReadOnlySpan<byte> signer, ReadOnlySpan<byte> own,
            ReadOnlySpan<byte> c, ReadOnlySpan<byte> m1, ReadOnlySpan<byte> m2, AkeBudget budget, out RejectReason reason)
        {
            var plain = new OtrWriter(signed.Ciphertext.Length + 4);
            try
            {
                plain.Data(signed.Ciphertext);
                Span<byte> mac = stackalloc byte[32];
                HMACSHA256.HashData(m2, plain.Written, mac);
                reason = RejectReason.BadMac;
                if (!CryptographicOperations.FixedTimeEquals(mac[..EncryptedSignature.MacLength], signed.Mac)) return null;

                var x = plain.WrittenMutable[4..];
                AesCtr.Transform(c, 0, x, x);
                var reader = new OtrReader(x);
                var type = reader.ReadUInt16();
                ReadOnlySpan<byte> p = reader.ReadMpi(), q = reader.ReadMpi(), g = reader.ReadMpi(), y = reader.ReadMpi();
                var keyLength = reader.Position;
                var keyId = reader.ReadUInt32();
                var signature = reader.ReadFixed(SignatureLength);
                reason = RejectReason.Malformed;
                if (!reader.IsComplete || keyId == 0) return null;
                reason = RejectReason.InvalidPublicKey;
                if (type != DsaKeyType || p.Length > DsaDomain.MaxPBits / 8) return null;
                if (budget.SpendForKey(p.Length) is { } unaffordable)
                {
                    reason = unaffordable;
                    return null;
                }
                if (!DsaPublicKey.TryCreate(p, q, g, y, out var key)) return null;

                Span<byte> m = stackalloc byte[32];
                ComputeM(m1, signer, own, x[..keyLength], keyId, m);
                reason = RejectReason.BadSignature;
                return key.Verify(m, signature) ? new VerifiedPeer(key, keyId) : null;
            }
            finally { plain.Dispose(); }
        }

        /// <summary>PUBKEY: SHORT type, MPIs p, q, g, y.</summary>
        private static void WritePublicKey(ref OtrWriter writer, DsaPublicKey key)
        {
            writer.UInt16(DsaKeyType);
            writer.Mpi(key.P);
            writer.Mpi(key.Q);
            writer.Mpi(key.G);
            writer.Mpi(key.Y);
        }

        /// <summary>M = HMAC-SHA256(m1, MPI(signer's D-H key) ‖ MPI(other's) ‖ PUBKEY ‖ INT keyid).</summary>
        private static void ComputeM(ReadOnlySpan<byte> m1, ReadOnlySpan<byte> signer, ReadOnlySpan<byte> other, ReadOnlySpan<byte> pubkey, uint keyId, Span<byte> m)
        {
            var w = new OtrWriter(1024);
            w.Mpi(signer);
            w.Mpi(other);
            w.Raw(pubkey);
            w.UInt32(keyId);
            HMACSHA256.HashData(m1, w.Written, m);
            w.Dispose();
        }
    }
}
