using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Otr.Core.Crypto.Montgomery;
using X86Aes = System.Runtime.Intrinsics.X86.Aes;

namespace Otr.Core.Crypto;

/// <summary>
/// AES-128 in counter mode as OTR uses it: initial counter block = 8-byte top half ‖ 8 zero bytes, 128-bit big-endian
/// increment (the low half never overflows: 2^64 blocks). Keeps nothing: an expanded key is the caller's memory, and the caller's to wipe.
/// </summary>
internal static class AesCtr
{
    /// <summary>Bytes of a key.</summary>
    public const int KeySize = 16;

    /// <summary>Bytes of an expanded key.</summary>
    public const int ExpandedSize = 11 * KeySize;

    private static readonly bool UseInstructions = X86Aes.IsSupported && Kernels.Current != KernelKind.Portable;

    /// <summary>Expands a key for <see cref="TransformExpanded"/>; without AES instructions it is the key itself.</summary>
    /// <param name="key">16 bytes.</param>
    /// <param name="expanded"><see cref="ExpandedSize"/> bytes.</param>
    public static void Expand(ReadOnlySpan<byte> key, Span<byte> expanded)
    {
        RequireKey(key);
        if (UseInstructions) AesNiCtr.Expand(key, out Unsafe.As<byte, AesNiCtr.KeySchedule>(ref expanded[..ExpandedSize][0]));
        else key.CopyTo(expanded);
    }

    /// <summary>Encrypts or decrypts; <paramref name="destination"/> may be the same memory as <paramref name="source"/>.</summary>
    /// <param name="expanded">From <see cref="Expand"/>.</param>
    /// <param name="counterTop">The top half of the initial counter as a number; 0 in the AKE.</param>
    public static void TransformExpanded(ReadOnlySpan<byte> expanded, ulong counterTop, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        RequireRoom(source, destination);
        if (UseInstructions)
        {
            ref readonly byte first = ref expanded[..ExpandedSize][0];
            AesNiCtr.Transform(Unsafe.As<byte, AesNiCtr.KeySchedule>(ref Unsafe.AsRef(in first)), counterTop, source, destination);
            return;
        }
        using var portable = new PortableAesCtr(expanded[..KeySize]);
        portable.Transform(counterTop, source, destination);
    }

    /// <summary>For keys that are used once: expanding one costs little more than a block.</summary>
    public static void Transform(ReadOnlySpan<byte> key, ulong counterTop, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        RequireKey(key);
        RequireRoom(source, destination);
        Span<byte> expanded = stackalloc byte[ExpandedSize];
        Expand(key, expanded);
        TransformExpanded(expanded, counterTop, source, destination);
        CryptographicOperations.ZeroMemory(expanded);
    }

    private static void RequireKey(ReadOnlySpan<byte> key)
    {
        if (key.Length != KeySize) throw new ArgumentException("An AES-128 key has 16 bytes.", nameof(key));
    }

    private static void RequireRoom(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (destination.Length < source.Length)
            throw new ArgumentException("The destination is shorter than the source.", nameof(destination));
    }
}
