using System.Security.Cryptography;

namespace Relay.Actors;

/// <summary>A secret by which verifications that peers begin are answered in the bot's place. It is sealed at rest and never shown.</summary>
public sealed class SmpSecret : IEquatable<SmpSecret>
{
    private readonly byte[] _utf8;

    /// <param name="utf8">1 to <see cref="RelayLimits.MaxAutomaticSecretBytes"/> bytes.</param>
    /// <exception cref="ArgumentException">It is empty or too long.</exception>
    public SmpSecret(ReadOnlySpan<byte> utf8)
    {
        if (!IsSize(utf8.Length)) throw new ArgumentException("A secret is empty or too long.", nameof(utf8));
        _utf8 = utf8.ToArray();
    }

    internal ReadOnlyMemory<byte> Utf8 => _utf8;

    internal static bool IsSize(int length) => length is > 0 and <= RelayLimits.MaxAutomaticSecretBytes;

    public bool Equals(SmpSecret? other) => other is not null && CryptographicOperations.FixedTimeEquals(_utf8, other._utf8);

    public override bool Equals(object? obj) => Equals(obj as SmpSecret);

    /// <summary>Depends on the length only: a hash of a short secret would tell it.</summary>
    public override int GetHashCode() => _utf8.Length;

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(SmpSecret);
}
