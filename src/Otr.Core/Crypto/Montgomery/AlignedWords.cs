using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Otr.Core.Crypto.Montgomery;

/// <summary>64-bit words that stay where they are in memory, aligned to 64 bytes as the kernels' loads require.</summary>
internal sealed unsafe class AlignedWords
{
    private readonly ulong[] _storage;
    private readonly int _length;

    public AlignedWords(int length)
    {
        _storage = GC.AllocateArray<ulong>(length + 7, pinned: true);
        _length = length;
        Pointer = Align((ulong*)Unsafe.AsPointer(ref _storage[0]));
    }

    /// <summary>Valid while this object is reachable.</summary>
    public ulong* Pointer { get; }

    public Span<ulong> Span => new(Pointer, _length);

    public void Wipe() => CryptographicOperations.ZeroMemory(System.Runtime.InteropServices.MemoryMarshal.AsBytes(Span));

    /// <summary>The first address of 64-byte alignment at or after <paramref name="pointer"/>.</summary>
    public static ulong* Align(ulong* pointer) => (ulong*)(((nuint)pointer + 63) & ~(nuint)63);
}
