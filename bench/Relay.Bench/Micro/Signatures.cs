using BenchmarkDotNet.Attributes;
using Otr.Core;

namespace Relay.Bench.Micro;

/// <summary>Measures DSA with a 1024-bit p and a 160-bit q.</summary>
[MemoryDiagnoser]
public class Signatures
{
    private readonly DsaPrivateKey _key = DsaPrivateKey.Generate(SystemRandom.Instance);
    private readonly byte[] _m = new byte[32], _signature = new byte[DsaPublicKey.SignatureSize];

    [GlobalSetup]
    public void Setup() => _key.Sign(_m, _signature);

    [Benchmark]
    public void Sign() => _key.Sign(_m, _signature);

    [Benchmark]
    public bool Verify() => _key.PublicKey.Verify(_m, _signature);

    [Benchmark]
    public DsaPrivateKey Generate() => DsaPrivateKey.Generate(SystemRandom.Instance);
}
