namespace Otr.Core;

/// <summary>SHA-1 over the MPIs p, q, g, y of a DSA public key (spec v3, "Public keys, signatures, and fingerprints"): 20 bytes.</summary>
public readonly struct Fingerprint : IEquatable<Fingerprint>
{
    /// <summary>Length in bytes.</summary>
    public const int Size = 20;

    private readonly ulong _a, _b;
    private readonly uint _c;

    /// <summary>From 20 bytes.</summary>
    /// <exception cref="ArgumentException">Not 20 bytes.</exception>
    public Fingerprint(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size) throw new ArgumentException("A fingerprint has 20 bytes.", nameof(bytes));
        _a = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes);
        _b = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        _c = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes[16..]);
    }

    /// <summary>Writes the 20 bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(destination, _a);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _b);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(destination[16..], _c);
    }

    /// <summary>40 lowercase hex digits.</summary>
    public string ToHex() => $"{_a:x16}{_b:x16}{_c:x8}";

    /// <summary>Five groups of eight uppercase digits, as people compare them.</summary>
    public string ToHuman()
    {
        var h = ToHex().ToUpperInvariant();
        return $"{h[..8]} {h[8..16]} {h[16..24]} {h[24..32]} {h[32..]}";
    }

    /// <summary>Reads 40 hex digits, blanks ignored.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Fingerprint fingerprint)
    {
        fingerprint = default;
        Span<char> digits = stackalloc char[2 * Size];
        int n = 0;
        foreach (var c in text)
        {
            if (c == ' ') continue;
            if (n == digits.Length || !char.IsAsciiHexDigit(c)) return false;
            digits[n++] = c;
        }
        if (n != digits.Length) return false;
        fingerprint = new Fingerprint(Convert.FromHexString(digits));
        return true;
    }

    /// <inheritdoc/>
    public bool Equals(Fingerprint other) => _a == other._a && _b == other._b && _c == other._c;
    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Fingerprint f && Equals(f);
    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_a, _b, _c);
    /// <summary>Equality of all 20 bytes.</summary>
    public static bool operator ==(Fingerprint a, Fingerprint b) => a.Equals(b);
    /// <summary>Inequality.</summary>
    public static bool operator !=(Fingerprint a, Fingerprint b) => !a.Equals(b);
    /// <summary>Prints the type only: a fingerprint names a person, and must not slip into a log.</summary>
    public override string ToString() => nameof(Fingerprint);
}
