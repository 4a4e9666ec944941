using System.Security.Cryptography;

namespace Otr.Core.Crypto;

/// <summary>
/// Secret bytes with one owner: wiped on disposal, never printed. The array is pinned, so that the garbage collector
/// leaves no stale copy behind when it compacts.
/// </summary>
internal sealed class SecretBytes : IDisposable
{
    private readonly byte[] _bytes;

    /// <summary>Zeroes, to be filled.</summary>
    public SecretBytes(int length) => _bytes = GC.AllocateArray<byte>(length, pinned: true);

    /// <summary>A copy of <paramref name="bytes"/>.</summary>
    public SecretBytes(ReadOnlySpan<byte> bytes) : this(bytes.Length) => bytes.CopyTo(_bytes);

    /// <summary>Fresh random bytes.</summary>
    public SecretBytes(int length, IRandomSource random) : this(length) => random.Fill(_bytes);

    /// <summary>The secret.</summary>
    public Span<byte> Span => _bytes;

    /// <summary>Length in bytes.</summary>
    public int Length => _bytes.Length;

    /// <summary>Wipes.</summary>
    public void Dispose() => CryptographicOperations.ZeroMemory(_bytes);

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(SecretBytes);
}
