using System.Security.Cryptography;

namespace Otr.Core;

/// <summary>The operating system's randomness. CONTRACT STUB: one buffer, refilled and wiped, is to come.</summary>
public sealed class SystemRandom : IRandomSource
{
    /// <summary>The shared instance; thread-safe.</summary>
    public static SystemRandom Instance { get; } = new();

    /// <inheritdoc/>
    public void Fill(Span<byte> destination) => RandomNumberGenerator.Fill(destination);
}
