using System.Security.Cryptography;

namespace Otr.Core;

/// <summary>
/// The operating system's randomness, asked for each time: no future secret waits in this process's memory. Thread-safe.
/// </summary>
public sealed class SystemRandom : IRandomSource
{
    internal SystemRandom()
    {
    }

    /// <summary>The shared instance.</summary>
    public static SystemRandom Instance { get; } = new();

    /// <inheritdoc/>
    public void Fill(Span<byte> destination) => RandomNumberGenerator.Fill(destination);
}
