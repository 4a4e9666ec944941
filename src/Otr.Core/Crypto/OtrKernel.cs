using Otr.Core.Crypto.Montgomery;

namespace Otr.Core;

/// <summary>Which implementation of modular exponentiation this process runs.</summary>
public static class OtrKernel
{
    /// <summary><c>avx512</c>, <c>avx2</c> or <c>portable</c>.</summary>
    public static string Name { get; } = Kernels.Current.ToString().ToLowerInvariant();
}
