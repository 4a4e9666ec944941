using System.Numerics;
using Otr.Core.Crypto.Montgomery;

namespace Otr.Core.Keys;

/// <summary>
/// DSA domain parameters p, q, g that passed checklist A6.1: p odd of 1024 to 3072 bits, q prime of 160 bits, q | p − 1, 1 &lt; g &lt; p and g^q = 1.
/// An instance is the proof. Whether p is prime is asked for own keys only (<see cref="IsPPrime"/>): a peer with a composite p harms itself.
/// </summary>
internal sealed class DsaDomain
{
    /// <summary>Shortest p, in bits.</summary>
    public const int MinPBits = 1024;
    /// <summary>Longest p, in bits: what bounds the work that a stranger's key can cause.</summary>
    public const int MaxPBits = 3072;
    /// <summary>Domains remembered: at least this many, at most twice as many.</summary>
    public const int CacheSize = 128;
    private const int QRounds = 32;
    private const int PRounds = 32;

    private readonly Lazy<bool> _isPPrime;
    private static readonly BoundedCache<Sha256Digest, DsaDomain> Accepted = new(CacheSize);

    private DsaDomain(byte[] p, byte[] q, byte[] g, DsaScalarField scalars)
    {
        (P, Q, G, Scalars) = (p, q, g, scalars);
        _isPPrime = new Lazy<bool>(() => MillerRabin.IsProbablyPrime(P, PRounds, Kernels.Current));
        Elements = MontgomeryField.Create(p, Kernels.Current);
    }

    /// <summary>Big-endian, no leading zeros.</summary>
    public byte[] P { get; }
    public byte[] Q { get; }
    public byte[] G { get; }

    /// <summary>Arithmetic mod p.</summary>
    public MontgomeryField Elements { get; }

    /// <summary>Arithmetic mod q.</summary>
    public DsaScalarField Scalars { get; }

    /// <summary>All numbers big-endian, without leading zeros. Cheap checks first; the costly ones once per domain.</summary>
    public static bool TryGet(ReadOnlySpan<byte> p, ReadOnlySpan<byte> q, ReadOnlySpan<byte> g, out DsaDomain domain)
    {
        domain = null!;
        int pBits = BitLength(p);
        if (pBits is < MinPBits or > MaxPBits || (p[^1] & 1) == 0) return false;
        if (BitLength(q) != 8 * DsaScalar.Size || (q[^1] & 1) == 0) return false;
        if (!IsElement(g, p)) return false;

        var id = Sha256Digest.OfNumbers(p, q, g);
        if (Accepted.TryGet(id, out var known))
        {
            domain = known;
            return true;
        }
        if (!((new BigInteger(p, true, true) - 1) % new BigInteger(q, true, true)).IsZero) return false;
        var scalars = new DsaScalarField(q);
        if (!scalars.IsProbablyPrime(q, QRounds)) return false;
        var candidate = new DsaDomain(p.ToArray(), q.ToArray(), g.ToArray(), scalars);
        if (!candidate.HasOrderQ(g)) return false;
        Accepted.Add(id, domain = candidate);
        return true;
    }

    /// <summary>1 &lt; value &lt; p, as minimal big-endian numbers.</summary>
    public static bool IsElement(ReadOnlySpan<byte> value, ReadOnlySpan<byte> p)
    {
        if (value.IsEmpty || value is [1] || value.Length > p.Length) return false;
        return value.Length < p.Length || value.SequenceCompareTo(p) < 0;
    }

    /// <summary>value^q = 1 mod p.</summary>
    public bool HasOrderQ(ReadOnlySpan<byte> value)
    {
        Span<byte> power = stackalloc byte[P.Length];
        Elements.MultiExp(power, value, Q);
        return power[^1] == 1 && power[..^1].IndexOfAnyExcept((byte)0) < 0;
    }

    /// <summary>Miller–Rabin on p with bases hashed from p; tens of milliseconds at 1024 bits, once for this instance.</summary>
    public bool IsPPrime() => _isPPrime.Value;

    private static int BitLength(ReadOnlySpan<byte> minimal) => minimal.IsEmpty ? 0 : 8 * minimal.Length - BitOperations.LeadingZeroCount((uint)minimal[0]) + 24;
}
