using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Otr.Core.Crypto.Montgomery;
using X86Aes = System.Runtime.Intrinsics.X86.Aes;

namespace Otr.Core.Crypto;

/// <summary>
/// AES-128 in counter mode as OTR uses it: initial counter block = 8-byte top half ‖ 8 zero bytes, 128-bit big-endian
/// increment (the low half never overflows: 2^64 blocks). One instance holds one expanded key.
/// </summary>
internal sealed class AesCtr : IDisposable
{
    /// <summary>Bytes of a key.</summary>
    public const int KeySize = 16;

    private static readonly bool UseInstructions = X86Aes.IsSupported && Kernels.Current != KernelKind.Portable;

    private AesNiCtr.KeySchedule _schedule;
    private PortableAesCtr? _portable;

    /// <param name="key">16 bytes.</param>
    public AesCtr(ReadOnlySpan<byte> key)
    {
        if (key.Length != KeySize) throw new ArgumentException("An AES-128 key has 16 bytes.", nameof(key));
        if (UseInstructions) AesNiCtr.Expand(key, out _schedule);
        else _portable = new PortableAesCtr(key);
    }

    /// <summary>Encrypts or decrypts; <paramref name="destination"/> may be the same memory as <paramref name="source"/>.</summary>
    /// <param name="counterTop">The top half of the initial counter as a number; 0 in the AKE.</param>
    public void Transform(ulong counterTop, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (destination.Length < source.Length) throw new ArgumentException("The destination is shorter than the source.", nameof(destination));
        if (UseInstructions) AesNiCtr.Transform(_schedule, counterTop, source, destination);
        else (_portable ?? throw new ObjectDisposedException(nameof(AesCtr))).Transform(counterTop, source, destination);
    }

    /// <summary>One-shot, without an object where the processor has AES: expanding the key costs little more than a block.</summary>
    public static void Transform(ReadOnlySpan<byte> key, ulong counterTop, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (key.Length != KeySize) throw new ArgumentException("An AES-128 key has 16 bytes.", nameof(key));
        if (destination.Length < source.Length) throw new ArgumentException("The destination is shorter than the source.", nameof(destination));
        if (UseInstructions)
        {
            AesNiCtr.Expand(key, out var schedule);
            AesNiCtr.Transform(schedule, counterTop, source, destination);
            CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(new Span<AesNiCtr.KeySchedule>(ref schedule)));
        }
        else
        {
            using var portable = new PortableAesCtr(key);
            portable.Transform(counterTop, source, destination);
        }
    }

    /// <summary>Wipes the key schedule.</summary>
    public void Dispose()
    {
        _schedule = default;
        _portable?.Dispose();
        _portable = null;
    }
}
