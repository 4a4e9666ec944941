using System.Security.Cryptography;

namespace Otr.Core;

/// <summary>
/// What people compare, and what trust belongs to: of a DSA key the SHA-1 over its MPIs p, q, g, y (spec v3, "Public keys, signatures, and
/// fingerprints"), 20 bytes; of a version 4 identity the hash of its two points, 56 bytes. Different lengths are never equal. The default
/// is 20 zeros, which no key has.
/// </summary>
public readonly struct Fingerprint : IEquatable<Fingerprint>
{
    /// <summary>Bytes of the fingerprint of a DSA key.</summary>
    public const int DsaSize = SHA1.HashSizeInBytes;

    /// <summary>Bytes of the fingerprint of a version 4 identity.</summary>
    public const int Ed448Size = 56;

    private static readonly byte[] Zeros = new byte[DsaSize];

    private readonly byte[]? _bytes;

    /// <summary>From 20 or 56 bytes.</summary>
    /// <exception cref="ArgumentException">Any other length.</exception>
    public Fingerprint(ReadOnlySpan<byte> bytes)
    {
        if (!IsSize(bytes.Length)) throw new ArgumentException("A fingerprint has 20 or 56 bytes.", nameof(bytes));
        _bytes = bytes.ToArray();
    }

    private ReadOnlySpan<byte> Bytes => _bytes ?? Zeros;

    /// <summary><see cref="DsaSize"/> or <see cref="Ed448Size"/>.</summary>
    public int Length => Bytes.Length;

    /// <summary>Whether fingerprints of so many bytes exist.</summary>
    public static bool IsSize(int length) => length is DsaSize or Ed448Size;

    /// <summary>Writes the <see cref="Length"/> bytes.</summary>
    public void CopyTo(Span<byte> destination) => Bytes.CopyTo(destination);

    /// <summary>40 or 112 lowercase hex digits.</summary>
    public string ToHex() => Convert.ToHexStringLower(Bytes);

    /// <summary>Groups of eight uppercase digits, as people compare them: five, or fourteen.</summary>
    public string ToHuman() => string.Join(' ', Convert.ToHexString(Bytes).Chunk(8).Select(group => new string(group)));

    /// <summary>Reads 40 or 112 hex digits, blanks ignored.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Fingerprint fingerprint)
    {
        fingerprint = default;
        Span<char> digits = stackalloc char[2 * Ed448Size];
        int n = 0;
        foreach (var c in text)
        {
            if (c == ' ') continue;
            if (n == digits.Length || !char.IsAsciiHexDigit(c)) return false;
            digits[n++] = c;
        }
        if (!IsSize(n / 2) || n % 2 != 0) return false;
        fingerprint = new Fingerprint(Convert.FromHexString(digits[..n]));
        return true;
    }

    /// <inheritdoc/>
    public bool Equals(Fingerprint other) => Bytes.SequenceEqual(other.Bytes);
    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Fingerprint f && Equals(f);
    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }
    /// <summary>Equality of all bytes.</summary>
    public static bool operator ==(Fingerprint a, Fingerprint b) => a.Equals(b);
    /// <summary>Inequality.</summary>
    public static bool operator !=(Fingerprint a, Fingerprint b) => !a.Equals(b);
    /// <summary>Prints the type only: a fingerprint names a person, and must not slip into a log.</summary>
    public override string ToString() => nameof(Fingerprint);
}
