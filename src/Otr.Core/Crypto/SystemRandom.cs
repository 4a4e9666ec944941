using System.Security.Cryptography;

namespace Otr.Core;

/// <summary>
/// The operating system's randomness, taken a page at a time: one system call serves a hundred small requests. Bytes that were handed out are
/// wiped from the page at once, so that no secret can be found there later. Thread-safe.
/// </summary>
public sealed class SystemRandom : IRandomSource
{
    private const int PageBytes = 4096;

    private readonly Lock _lock = new();
    private readonly byte[] _page = GC.AllocateArray<byte>(PageBytes, pinned: true);
    private int _used = PageBytes;

    internal SystemRandom()
    {
    }

    /// <summary>The shared instance.</summary>
    public static SystemRandom Instance { get; } = new();

    /// <inheritdoc/>
    public void Fill(Span<byte> destination)
    {
        if (destination.Length > PageBytes / 2)
        {
            RandomNumberGenerator.Fill(destination);
            return;
        }
        lock (_lock)
        {
            if (destination.Length > PageBytes - _used)
            {
                RandomNumberGenerator.Fill(_page);
                _used = 0;
            }
            var taken = _page.AsSpan(_used, destination.Length);
            taken.CopyTo(destination);
            CryptographicOperations.ZeroMemory(taken);
            _used += destination.Length;
        }
    }

    /// <summary>The page, and how much of it was handed out; for tests.</summary>
    internal (byte[] Page, int Used) Inspect() => (_page, _used);
}
