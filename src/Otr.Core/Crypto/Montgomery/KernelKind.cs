using System.Runtime.Intrinsics.X86;

namespace Otr.Core.Crypto.Montgomery;

/// <summary>The implementations of Montgomery multiplication.</summary>
internal enum KernelKind
{
    /// <summary>Radix 2^56 on 64-bit words: any processor.</summary>
    Portable,
    /// <summary>Radix 2^28 in four 64-bit lanes.</summary>
    Avx2,
    /// <summary>Radix 2^28 in eight 64-bit lanes.</summary>
    Avx512,
}

/// <summary>The choice of a kernel, made once at start.</summary>
internal static class Kernels
{
    /// <summary>Environment variable that forces a kernel: <c>avx512</c>, <c>avx2</c> or <c>portable</c>.</summary>
    public const string Switch = "OTR_KERNEL";

    /// <summary>The kernel of this process: the forced one if the processor has it, else the fastest that it has.</summary>
    public static KernelKind Current { get; } = Choose(Environment.GetEnvironmentVariable(Switch));

    /// <summary>Whether this processor can run <paramref name="kind"/>.</summary>
    /// <remarks>Avx512F itself is asked: <c>Vector512.IsHardwareAccelerated</c> is a preference, false on processors that lower their clock for it.</remarks>
    public static bool IsSupported(KernelKind kind) => kind switch
    {
        KernelKind.Avx512 => Avx512F.IsSupported,
        KernelKind.Avx2 => Avx2.IsSupported,
        KernelKind.Portable => true,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>
    /// A kernel that is asked for but missing falls back to the next narrower one: a switch set for a fleet must not stop the one old machine.
    /// An unknown word is refused: a misspelt switch would pass for a working one.
    /// </summary>
    /// <exception cref="ArgumentException">Not one of the three words.</exception>
    internal static KernelKind Choose(string? forced)
    {
        KernelKind wanted = forced?.Trim().ToLowerInvariant() switch
        {
            null or "" or "avx512" => KernelKind.Avx512,
            "avx2" => KernelKind.Avx2,
            "portable" => KernelKind.Portable,
            _ => throw new ArgumentException($"{Switch} must be avx512, avx2 or portable."),
        };
        while (!IsSupported(wanted)) wanted--;
        return wanted;
    }
}
