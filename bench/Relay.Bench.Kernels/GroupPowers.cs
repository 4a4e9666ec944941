using Otr.Core.Crypto;

namespace Relay.Bench.Kernels;

/// <summary>
/// Exposes the exponentiations of <c>Otr.Core</c> in the 1536-bit group to <c>relay bench otr</c>. Otr.Core makes its internals
/// visible to tests and benchmarks, including this project, but not to Relay.Lab.
/// </summary>
public static class GroupPowers
{
    /// <summary>The length of an element, in bytes.</summary>
    public const int ElementSize = Group1536.ElementSize;

    /// <summary>Raises an element to a secret exponent, both big-endian.</summary>
    public static void Exp(Span<byte> result, ReadOnlySpan<byte> element, ReadOnlySpan<byte> exponent) =>
        Group1536.Exp(result, element, exponent);

    /// <summary>Raises 2 to a secret exponent.</summary>
    public static void ExpG(Span<byte> result, ReadOnlySpan<byte> exponent) => Group1536.ExpG(result, exponent);
}
