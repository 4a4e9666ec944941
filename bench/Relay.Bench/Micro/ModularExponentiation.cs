using BenchmarkDotNet.Attributes;
using Otr.Core.Crypto;
using Otr.Core.Crypto.Montgomery;

namespace Relay.Bench.Micro;

/// <summary>Measures the 1536-bit group on each kernel. `relay bench otr` compares it with OpenSSL and libgcrypt.</summary>
public class ModularExponentiation
{
    private readonly byte[] _result = new byte[192], _base = new byte[192], _short = new byte[40], _long = new byte[192],
        _challenge = new byte[32];
    private ModpGroup1536 _group = null!;

    [Params("avx512", "avx2", "portable")]
    public string Kernel { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        _group = new ModpGroup1536(Kernels.Choose(Kernel));
        if (!_group.Kernel.ToString().Equals(Kernel, StringComparison.OrdinalIgnoreCase))
            throw new NotSupportedException($"This processor has no {Kernel}.");
        var random = new Random(1);
        foreach (var bytes in new[] { _base, _short, _long, _challenge }) random.NextBytes(bytes);
    }

    [Benchmark]
    public void Exp320() => _group.MultiExp(_result, _base, _short, default, default);

    [Benchmark]
    public void Exp1536() => _group.MultiExp(_result, _base, _long, default, default);

    [Benchmark]
    public void ExpG320() => _group.MultiExpG(_result, _short, default, default, default, default);

    [Benchmark]
    public void ExpG1536() => _group.MultiExpG(_result, _long, default, default, default, default);

    [Benchmark]
    public void SmpCheck() => _group.MultiExpG(_result, _long, _base, _challenge, default, default);

    [Benchmark]
    public void Multiply() => _group.Multiply(_result, _base, _base);

    [Benchmark]
    public void Invert() => _group.Invert(_result, _base);
}
