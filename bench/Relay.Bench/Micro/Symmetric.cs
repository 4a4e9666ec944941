using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using Otr.Core;
using Otr.Core.Crypto;

namespace Relay.Bench.Micro;

/// <summary>What a data message costs besides its exponentiations, beside the base library's one-shot calls.</summary>
[MemoryDiagnoser]
public class Symmetric
{
    private readonly byte[] _aes = new byte[AesCtr.ExpandedSize], _hmac = new byte[HmacSha1.PreparedSize];
    private readonly byte[] _key = new byte[20], _mac = new byte[20], _random = new byte[40];
    private byte[] _data = [];

    [Params(100, 1024, 16384)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _data = new byte[Bytes];
        AesCtr.Expand(_key.AsSpan(0, AesCtr.KeySize), _aes);
        HmacSha1.Prepare(_key, _hmac);
    }

    [Benchmark]
    public void AesCtr128() => AesCtr.TransformExpanded(_aes, 1, _data, _data);

    [Benchmark]
    public void AesCtr128OneShot() => AesCtr.Transform(_key.AsSpan(0, 16), 1, _data, _data);

    [Benchmark]
    public void HmacSha1Kept() => HmacSha1.ComputePrepared(_hmac, _data, _mac);

    [Benchmark]
    public void HmacSha1OfTheLibrary() => HMACSHA1.HashData(_key, _data, _mac);

    [Benchmark]
    public void Random40() => SystemRandom.Instance.Fill(_random);
}
