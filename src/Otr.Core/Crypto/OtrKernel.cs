using Otr.Core.Crypto.Montgomery;

namespace Otr.Core;

/// <summary>Which implementation of modular exponentiation this process runs.</summary>
public static class OtrKernel
{
    /// <summary><c>avx512</c>, <c>avx2</c> or <c>portable</c>.</summary>
    public static string Name { get; } = Kernels.Current.ToString().ToLowerInvariant();

    /// <summary>
    /// Compiles the kernel and builds its tables, some tens of milliseconds that the first key exchange would otherwise wait
    /// for. For a server's start; calling it is never necessary.
    /// </summary>
    public static void WarmUp() => Crypto.Group1536.WarmUp();
}
