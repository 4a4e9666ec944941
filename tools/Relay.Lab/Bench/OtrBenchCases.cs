using System.Security.Cryptography;
using Otr.Core;
using Relay.Bench.Kernels;

namespace Relay.Lab.Bench;

/// <summary>
/// The cases of <c>relay bench otr</c>: whole protocol steps, both sides together, and the cryptographic kernels that they use.
/// </summary>
internal sealed class OtrBenchCases : IDisposable
{
    private readonly DsaPrivateKey _alice = DsaPrivateKey.Generate(SystemRandom.Instance),
        _bob = DsaPrivateKey.Generate(SystemRandom.Instance);
    private readonly List<RelayPair> _pairs = [];
    private readonly OpenSsl? _openSsl;

    public OtrBenchCases()
    {
        var key = DsaPublicParameters.Of(_alice.PublicKey);
        var dsa = new OpenSsl.DsaNumbers(key.P.ToArray(), key.Q.ToArray(), key.G.ToArray(), key.Y.ToArray(), _alice.ExportX());
        _openSsl = OpenSsl.TryOpen(Modulus, dsa);
        CryptographicOperations.ZeroMemory(dsa.X);
    }

    /// <summary>p of RFC 3526 §2.</summary>
    private static byte[] Modulus => Convert.FromHexString(
        "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B" +
        "302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6" +
        "49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D" +
        "670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF");

    public IReadOnlyList<BenchCase> All() =>
    [
        Repeat("ake", 4, Pair(isPrivate: false), pair => pair.KeyExchange()) with { RelayCount = 20 },
        OneWay("one-way", 2000, 100),
        OneWay("one-way-1k", 1000, 1024),
        OneWay("one-way-16k", 200, 16 * 1024),
        PingPong(),
        Repeat("smp", 1, Pair(), pair => pair.RunSmp()),
        Modexp("modexp-320", 20, 40),
        Modexp("modexp-1536", 5, 192),
        KeyGeneration(),
        Sign(),
        Verify(),
        Repeat("snapshot", 200, Pair(), pair => pair.SnapshotAndRestore()) with { Libotr = false },
    ];

    /// <summary>
    /// Managed bytes per side of a conversation after a key exchange and four messages, averaged over <paramref name="count"/>
    /// conversations.
    /// </summary>
    public double Memory(int count)
    {
        var pairs = new RelayPair[count];
        MakeAndTalk(Pair(isPrivate: false)); // allocates the shared data before the measurement
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var n = 0; n < count; n++) MakeAndTalk(pairs[n] = new RelayPair(_alice, _bob));
        var bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
        foreach (var pair in pairs) pair.Dispose();
        return bytes / (2.0 * count);
    }

    /// <summary>The size of one side's snapshot after a key exchange and four messages, in bytes.</summary>
    public int SnapshotBytes()
    {
        var pair = Pair(isPrivate: false);
        MakeAndTalk(pair);
        return pair.SnapshotAndRestore();
    }

    public void Dispose()
    {
        foreach (var pair in _pairs) pair.Dispose();
        _openSsl?.Dispose();
        _alice.Dispose();
        _bob.Dispose();
    }

    private static void MakeAndTalk(RelayPair pair)
    {
        pair.KeyExchange();
        for (var n = 0; n < 4; n++) pair.Say(n % 2, "text"u8.ToArray());
        pair.Trim();
    }

    private RelayPair Pair(bool isPrivate = true)
    {
        var pair = new RelayPair(_alice, _bob);
        _pairs.Add(pair);
        if (isPrivate) pair.KeyExchange();
        return pair;
    }

    private static BenchCase Repeat(string what, int count, RelayPair pair, Action<RelayPair> once)
        => new(what, count, n => { for (var i = 0; i < n; i++) once(pair); });

    private BenchCase OneWay(string what, int count, int bytes)
    {
        var pair = Pair();
        var text = new byte[bytes];
        text.AsSpan().Fill((byte)'x');
        return new BenchCase(what, count, n => { for (var i = 0; i < n; i++) pair.Say(0, text); }) { Bytes = bytes };
    }

    private BenchCase PingPong()
    {
        var pair = Pair();
        var text = new byte[100];
        text.AsSpan().Fill((byte)'x');
        var side = 0;
        return new BenchCase("ping-pong", 8, n => { for (var i = 0; i < n; i++) pair.Say(side ^= 1, text); })
        {
            Bytes = 100, RelayCount = 50,
        };
    }

    private BenchCase Modexp(string what, int count, int exponentBytes)
    {
        byte[] result = new byte[GroupPowers.ElementSize], element = new byte[GroupPowers.ElementSize];
        var exponent = RandomNumberGenerator.GetBytes(exponentBytes);
        exponent[0] |= 0x80;
        GroupPowers.ExpG(element, exponent);
        var (b, e) = (_openSsl?.Number(element) ?? 0, _openSsl?.Number(exponent) ?? 0);
        return new BenchCase(what, count, n => { for (var i = 0; i < n; i++) GroupPowers.Exp(result, element, exponent); })
        {
            OpenSsl = _openSsl is null ? null : n => { for (var i = 0; i < n; i++) _openSsl.Exp(b, e); },
        };
    }

    private BenchCase KeyGeneration()
    {
        var result = new byte[GroupPowers.ElementSize];
        var exponent = RandomNumberGenerator.GetBytes(40);
        exponent[0] |= 0x80;
        var (g, e) = (_openSsl?.Number([2]) ?? 0, _openSsl?.Number(exponent) ?? 0);
        return new BenchCase("keygen-dh", 20, n => { for (var i = 0; i < n; i++) GroupPowers.ExpG(result, exponent); })
        {
            RelayCount = 100,
            OpenSsl = _openSsl is null ? null : n => { for (var i = 0; i < n; i++) _openSsl.Exp(g, e); },
        };
    }

    private BenchCase Sign()
    {
        byte[] m = RandomNumberGenerator.GetBytes(32), signature = new byte[40], digest = m[12..];
        return new BenchCase("dsa-sign", 50, n => { for (var i = 0; i < n; i++) _alice.Sign(m, signature); })
        {
            RelayCount = 200,
            OpenSsl = _openSsl is null ? null : n => { for (var i = 0; i < n; i++) _openSsl.Sign(digest); },
        };
    }

    private BenchCase Verify()
    {
        byte[] m = RandomNumberGenerator.GetBytes(32), signature = new byte[40], digest = m[12..];
        _alice.Sign(m, signature);
        _openSsl?.SignToVerify(digest);
        return new BenchCase("dsa-verify", 50, n =>
        {
            for (var i = 0; i < n; i++)
                if (!_alice.PublicKey.Verify(m, signature)) throw new InvalidOperationException("A signature does not verify.");
        })
        {
            OpenSsl = _openSsl is null ? null : n =>
            {
                for (var i = 0; i < n; i++) _openSsl.Verify(digest);
            },
        };
    }
}
