using System.Security.Cryptography;

namespace Otr.Core.Crypto;

/// <summary>
/// Secret bytes with one owner: wiped on disposal, never printed. The memory is pinned, so that the garbage collector leaves no stale copy
/// behind when it compacts; it comes from a pool, for pinning costs more than the secrets of a message do.
/// </summary>
internal sealed class SecretBytes : IDisposable
{
    private byte[]? _bytes;

    /// <summary>Zeroes, to be filled.</summary>
    public SecretBytes(int length) => _bytes = SecretPool.Rent(length);

    /// <summary>A copy of <paramref name="bytes"/>.</summary>
    public SecretBytes(ReadOnlySpan<byte> bytes) : this(bytes.Length) => bytes.CopyTo(Span);

    /// <summary>Fresh random bytes.</summary>
    public SecretBytes(int length, IRandomSource random) : this(length) => random.Fill(Span);

    /// <summary>The secret.</summary>
    /// <exception cref="ObjectDisposedException">It was wiped; the memory may hold another secret by now.</exception>
    public Span<byte> Span => _bytes ?? throw new ObjectDisposedException(nameof(SecretBytes));

    /// <summary>It was wiped.</summary>
    public bool IsWiped => _bytes is null;

    /// <summary>Wipes.</summary>
    public void Dispose()
    {
        if (_bytes is not { } bytes) return;
        _bytes = null;
        SecretPool.Return(bytes);
    }

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(SecretBytes);
}

/// <summary>Pinned arrays for <see cref="SecretBytes"/>, by exact length, of which there are few. What is in the pool is zero.</summary>
internal static class SecretPool
{
    /// <summary>Arrays of one length that are kept for use again.</summary>
    private const int MaxKept = 1024;

    private static readonly Lock Gate = new();
    private static readonly Dictionary<int, Stack<byte[]>> Kept = [];

    /// <summary>
    /// Collects what this thread rents, for tests: such arrays are not pooled, so that what is wiped stays so to be seen.
    /// </summary>
    [ThreadStatic]
    internal static List<byte[]>? Watched;

    public static byte[] Rent(int length)
    {
        if (Watched is { } watched)
        {
            var own = GC.AllocateArray<byte>(length, pinned: true);
            watched.Add(own);
            return own;
        }
        lock (Gate)
        {
            if (Kept.TryGetValue(length, out var kept) && kept.TryPop(out var bytes)) return bytes;
        }
        return GC.AllocateArray<byte>(length, pinned: true);
    }

    public static void Return(byte[] bytes)
    {
        CryptographicOperations.ZeroMemory(bytes);
        if (Watched is not null) return;
        lock (Gate)
        {
            if (!Kept.TryGetValue(bytes.Length, out var kept)) Kept[bytes.Length] = kept = new Stack<byte[]>();
            if (kept.Count < MaxKept) kept.Push(bytes);
        }
    }
}
