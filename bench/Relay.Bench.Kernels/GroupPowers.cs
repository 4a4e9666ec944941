using Otr.Core.Crypto;

namespace Relay.Bench.Kernels;

/// <summary>
/// Powers in the 1536-bit group as <c>Otr.Core</c> computes them, for <c>relay bench otr</c>. Otr.Core opens its internals to
/// tests and benchmarks, this project among them, and not to the lab.
/// </summary>
public static class GroupPowers
{
    /// <summary>Bytes of an element.</summary>
    public const int ElementSize = Group1536.ElementSize;

    /// <summary>An element to a secret exponent, both big-endian.</summary>
    public static void Exp(Span<byte> result, ReadOnlySpan<byte> element, ReadOnlySpan<byte> exponent) =>
        Group1536.Exp(result, element, exponent);

    /// <summary>2 to a secret exponent.</summary>
    public static void ExpG(Span<byte> result, ReadOnlySpan<byte> exponent) => Group1536.ExpG(result, exponent);
}
