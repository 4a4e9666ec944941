using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Otr.Core.Crypto;
using Otr.Core.Keys;

namespace Otr.Core;

/// <summary>
/// A DSA public key with a 160-bit q, checked (checklist A6.1): an instance exists only if every check passed. All
/// numbers big-endian, minimal. Immutable; thread-safe.
/// </summary>
public sealed class DsaPublicKey
{
    /// <summary>Bytes of a signature, r ‖ s.</summary>
    public const int SignatureSize = 2 * DsaScalar.Size;

    /// <summary>Keys remembered as accepted: at least this many, at most twice as many.</summary>
    internal const int CacheSize = 512;

    private static readonly BoundedCache<Sha256Digest, DsaPublicKey> Accepted = new(CacheSize);

    private DsaPublicKey(DsaDomain domain, byte[] y)
    {
        (P, Q, G, Y) = (domain.P, domain.Q, domain.G, y);
        Span<byte> mpis = stackalloc byte[4 * sizeof(int) + P.Length + Q.Length + G.Length + Y.Length], digest = stackalloc byte[Sha1.Size];
        int length = 0;
        foreach (var n in new[] { P, Q, G, Y })
        {
            BinaryPrimitives.WriteInt32BigEndian(mpis[length..], n.Length);
            n.CopyTo(mpis[(length + sizeof(int))..]);
            length += sizeof(int) + n.Length;
        }
        Sha1.Hash(mpis, digest);
        Fingerprint = new Fingerprint(digest);
    }

    /// <summary>The numbers, big-endian without leading zeros. Not to be written to.</summary>
    internal byte[] P { get; }
    internal byte[] Q { get; }
    internal byte[] G { get; }
    internal byte[] Y { get; }

    /// <summary>The key's fingerprint.</summary>
    public Fingerprint Fingerprint { get; }

    /// <summary>
    /// Checks the parameters; false if any check fails: p odd of 1024 to 3072 bits, q prime of 160 bits, q | p − 1, 1 &lt; g, y &lt; p, g^q = y^q = 1.
    /// Numbers big-endian, leading zeros ignored. At most a few milliseconds for anything that a stranger can send; an accepted key is known again.
    /// </summary>
    public static bool TryCreate(ReadOnlySpan<byte> p, ReadOnlySpan<byte> q, ReadOnlySpan<byte> g, ReadOnlySpan<byte> y, [NotNullWhen(true)] out DsaPublicKey? key)
    {
        key = null;
        p = Minimal(p);
        q = Minimal(q);
        g = Minimal(g);
        y = Minimal(y);
        // Nothing is hashed, copied or computed with before its size is known to be sane.
        if (p.Length > DsaDomain.MaxPBits / 8 || q.Length > DsaScalar.Size || g.Length > p.Length || !DsaDomain.IsElement(y, p)) return false;
        var id = Sha256Digest.OfNumbers(p, q, g, y);
        if (Accepted.TryGet(id, out key)) return true;
        if (!DsaDomain.TryGet(p, q, g, out var domain) || !domain.HasOrderQ(y)) return false;
        Accepted.Add(id, key = new DsaPublicKey(domain, y.ToArray()));
        return true;
    }

    /// <summary>How many accepted keys are remembered; for tests.</summary>
    internal static int Remembered => Accepted.Count;

    /// <summary>The domain, from the cache or checked anew. Not kept here: a conversation that holds its peer's key need not hold tables.</summary>
    internal DsaDomain Domain => DsaDomain.TryGet(P, Q, G, out var domain) ? domain : throw new InvalidOperationException("An accepted domain was refused.");

    /// <summary>Verifies OTR's signature: <paramref name="m"/> as an integer mod q, neither hashed nor truncated.</summary>
    /// <param name="m">32 bytes in versions 2 and 3; the fields of a client profile in version 4.</param>
    /// <param name="signature">40 bytes, r ‖ s; any other length is no signature.</param>
    public bool Verify(ReadOnlySpan<byte> m, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != SignatureSize) return false;
        var domain = Domain;
        var field = domain.Scalars;
        DsaScalar r = DsaScalar.FromBigEndian(signature), s = DsaScalar.FromBigEndian(signature[DsaScalar.Size..]);
        if (!field.IsInRange(r) || !field.IsInRange(s)) return false;

        // FIPS 186-4 §4.7: w = s⁻¹, u1 = h·w, u2 = r·w, v = (g^u1·y^u2 mod p) mod q. A plain factor times one in Montgomery form is plain.
        var w = field.Invert(field.ToMontgomery(s));
        Span<byte> u1 = stackalloc byte[DsaScalar.Size], u2 = stackalloc byte[DsaScalar.Size], v = stackalloc byte[P.Length];
        field.Multiply(field.Reduce(m), w).ToBigEndian(u1);
        field.Multiply(r, w).ToBigEndian(u2);
        domain.Elements.MultiExp(v, G, u1, Y, u2);
        return field.Reduce(v) == r;
    }

    /// <summary>Prints the type only: a key names a person.</summary>
    public override string ToString() => nameof(DsaPublicKey);

    private static ReadOnlySpan<byte> Minimal(ReadOnlySpan<byte> number)
    {
        int zeros = number.IndexOfAnyExcept((byte)0);
        return zeros < 0 ? default : number[zeros..];
    }
}
