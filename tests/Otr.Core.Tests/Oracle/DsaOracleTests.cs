using System.Security.Cryptography;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using Otr.Core.Keys;
using Otr.Core.Tests.Crypto;
using Otr.Core.Tests.Kit;
using BcInteger = Org.BouncyCastle.Math.BigInteger;
using BcSha1 = Org.BouncyCastle.Crypto.Digests.Sha1Digest;
using BcSha256 = Org.BouncyCastle.Crypto.Digests.Sha256Digest;
using DomainParameters = Org.BouncyCastle.Crypto.Parameters.DsaParameters;

namespace Otr.Core.Tests.Oracle;

/// <summary>DSA against BouncyCastle: signatures in both directions, RFC 6979 nonces, and which domains and keys are accepted.</summary>
public class DsaOracleTests
{
    private static readonly DsaPrivateKey[] Keys =
        [Rfc6979Key.Import(), TestKeys.Of(0), TestKeys.Of(1), TestKeys.Of(2), TestKeys.Of(3), Import2048(),
            DsaPrivateKey.Generate(new SeededRandom(1))];

    private static DsaPrivateKey Import2048()
    {
        byte[] p = OpenSslDsa2048.P, q = OpenSslDsa2048.Q, g = OpenSslDsa2048.G;
        Assert.True(DsaPrivateKey.TryImport(p, q, g, OpenSslDsa2048.Y, OpenSslDsa2048.X, out var key));
        return key;
    }

    private static DomainParameters Domain(DsaPublicKey key) => new(Oracle.Integer(key.P), Oracle.Integer(key.Q), Oracle.Integer(key.G));

    private static DsaPublicKeyParameters Theirs(DsaPublicKey key) => new(Oracle.Integer(key.Y), Domain(key));

    private static DsaPrivateKeyParameters Theirs(DsaPrivateKey key) => new(Oracle.Integer(key.ExportX()), Domain(key.PublicKey));

    /// <summary>M mod q, which BouncyCastle is given as the hash: 160 bits are neither shortened nor reduced.</summary>
    private static byte[] Hash(DsaPublicKey key, byte[] m) => Oracle.Bytes(Oracle.Integer(m).Mod(Oracle.Integer(key.Q)), 20);

    /// <summary>32 bytes: random ones, and now and then a number at an edge of q or of its own length.</summary>
    private static byte[] Message(SeededRandom random, DsaPublicKey key)
    {
        BcInteger one = BcInteger.One, q = Oracle.Integer(key.Q), top = one.ShiftLeft(256).Subtract(one);
        byte choice = random.Bytes(1)[0];
        BcInteger[] edges = [BcInteger.Zero, one, q.Subtract(one), q, q.Add(one), top, top.Subtract(top.Mod(q)), one.ShiftLeft(160)];
        return choice < 64 ? Oracle.Bytes(edges[choice % edges.Length], 32) : random.Bytes(32);
    }

    [Fact]
    public void Signatures_are_those_of_RFC_6979_by_BouncyCastle_bit_for_bit() => LongRuns.Search(Oracle.Box, 40, seed =>
    {
        var random = new SeededRandom(seed);
        var key = Keys[seed % Keys.Length];
        var m = Message(random, key.PublicKey);
        var signer = new DsaSigner(new HMacDsaKCalculator(new BcSha256()));
        signer.Init(true, Theirs(key));
        var made = signer.GenerateSignature(Hash(key.PublicKey, m));
        var signature = new byte[DsaPublicKey.SignatureSize];
        key.Sign(m, signature);
        Assert.Equal([.. Oracle.Bytes(made[0], 20), .. Oracle.Bytes(made[1], 20)], signature);
    });

    [Fact]
    public void Nonces_of_both_hashes_are_BouncyCastles_where_candidates_are_rejected_too() => LongRuns.Search(Oracle.Box, 40, seed =>
    {
        var random = new SeededRandom(seed);
        // A q that is no prime does as well, and one barely above 2^159 rejects every other candidate. (A second nonce can't be compared:
        // BouncyCastle leaves out the update of step h.3 after a nonce that it returned.)
        byte[] q = random.Bytes(20);
        q[0] = (byte)(seed % 3 == 0 ? 0x80 : q[0] | 0x80);
        q[^1] |= 1;
        var field = new DsaScalarField(q);
        BcInteger n = Oracle.Integer(q), x = Oracle.Below(random, n.Subtract(BcInteger.One)).Add(BcInteger.One);
        var h = Oracle.Below(random, n);
        (HashAlgorithmName, IDigest)[] hashes = [(HashAlgorithmName.SHA1, new BcSha1()), (HashAlgorithmName.SHA256, new BcSha256())];
        foreach (var (name, digest) in hashes)
        {
            var theirs = new HMacDsaKCalculator(digest);
            theirs.Init(n, x, Oracle.Bytes(h, 20));
            DsaScalar ourX = DsaScalar.FromBigEndian(Oracle.Bytes(x, 20)), ourH = DsaScalar.FromBigEndian(Oracle.Bytes(h, 20));
            using var ours = new DsaNonce(new byte[2 * DsaNonce.MaxDigestSize], ourX, ourH, name);
            var drawn = new byte[20];
            ours.Next(field).ToBigEndian(drawn);
            Assert.Equal(Oracle.Bytes(theirs.NextK(), 20), drawn);
        }
    });

    [Fact]
    public void Both_verify_what_the_other_signed_and_refuse_the_same_alterations() => LongRuns.Search(Oracle.Box, 40, seed =>
    {
        var random = new SeededRandom(seed);
        var key = Keys[seed % Keys.Length];
        var m = Message(random, key.PublicKey);
        var signer = new DsaSigner();
        signer.Init(true, new ParametersWithRandom(Theirs(key), Oracle.Random(seed)));
        var made = signer.GenerateSignature(Hash(key.PublicKey, m));
        byte[] signature = [.. Oracle.Bytes(made[0], 20), .. Oracle.Bytes(made[1], 20)];
        Assert.True(key.PublicKey.Verify(m, signature));

        BcInteger q = Oracle.Integer(key.PublicKey.Q);
        var altered = new List<(byte[] M, byte[] Signature)> { (m, signature) };
        BcInteger zero = BcInteger.Zero, one = BcInteger.One;
        foreach (var value in new[] { zero, one, q.Subtract(one), q, Oracle.Below(random, q), q.Subtract(made[1]) })
        {
            altered.Add((m, [.. Oracle.Bytes(value, 20), .. signature[20..]]));
            altered.Add((m, [.. signature[..20], .. Oracle.Bytes(value, 20)]));
        }
        byte[] otherM = m.ToArray(), flipped = signature.ToArray();
        otherM[random.Bytes(1)[0] % m.Length] ^= 0x10;
        flipped[random.Bytes(1)[0] % flipped.Length] ^= 1;
        altered.Add((otherM, signature));
        altered.Add((m, flipped));
        // s = 0 mod q makes v = 1, so that r = 1 verifies where the range check is forgotten.
        foreach (var value in new[] { zero, q }) altered.Add((m, [.. Oracle.Bytes(one, 20), .. Oracle.Bytes(value, 20)]));
        // So does s + q, which fits 20 bytes for few q only.
        if (made[1].Add(q).BitLength <= 160) altered.Add((m, [.. signature[..20], .. Oracle.Bytes(made[1].Add(q), 20)]));

        var verifier = new DsaSigner();
        verifier.Init(false, Theirs(key.PublicKey));
        foreach (var (message, bytes) in altered)
        {
            BcInteger r = Oracle.Integer(bytes[..20]), s = Oracle.Integer(bytes[20..]);
            bool expected = verifier.VerifySignature(Hash(key.PublicKey, message), r, s);
            Assert.Equal(expected, key.PublicKey.Verify(message, bytes));
        }
    });

    [Fact]
    public void Domains_and_keys_of_each_are_sound_to_the_other() => LongRuns.Search(Oracle.Box, 2, seed =>
    {
        var generator = new DsaParametersGenerator();
        generator.Init(1024, 20, Oracle.Random(seed));
        var domain = generator.GenerateParameters();
        var pairs = new DsaKeyPairGenerator();
        pairs.Init(new DsaKeyGenerationParameters(Oracle.Random(seed + 1), domain));
        var pair = pairs.GenerateKeyPair();
        BcInteger x = ((DsaPrivateKeyParameters)pair.Private).X, y = ((DsaPublicKeyParameters)pair.Public).Y;
        byte[] p = Oracle.Minimal(domain.P), q = Oracle.Minimal(domain.Q), g = Oracle.Minimal(domain.G);
        Assert.True(DsaPrivateKey.TryImport(p, q, g, Oracle.Minimal(y), Oracle.Minimal(x), out var imported));
        imported.Dispose();

        using var made = DsaPrivateKey.Generate(new SeededRandom(seed));
        var key = made.PublicKey;
        Assert.True(IsSound(Oracle.Integer(key.P), Oracle.Integer(key.Q), Oracle.Integer(key.G), Oracle.Integer(key.Y)));
        Assert.True(Oracle.IsPrime(Oracle.Integer(key.P)));
        Assert.Equal(Oracle.Integer(key.G).ModPow(Oracle.Integer(made.ExportX()), Oracle.Integer(key.P)), Oracle.Integer(key.Y));
    });

    [Fact]
    public void Altered_public_keys_get_the_verdict_of_the_checks_over_BouncyCastles_integers() => LongRuns.Search(Oracle.Box, 60, seed =>
    {
        var random = new SeededRandom(seed);
        var key = Keys[seed % Keys.Length].PublicKey;
        BcInteger[] numbers = [Oracle.Integer(key.P), Oracle.Integer(key.Q), Oracle.Integer(key.G), Oracle.Integer(key.Y)];
        BcInteger one = BcInteger.One, two = BcInteger.Two, p = numbers[0], q = numbers[1], g = numbers[2];
        var cofactor = p.Subtract(one).Divide(q);
        var element = Oracle.Below(random, p);
        // Sound ones among them: other elements of the subgroup, and the key as it is.
        BcInteger[] others =
        [
            g.ModPow(Oracle.Below(random, q), p), element.ModPow(cofactor, p), element, element.ModPow(q, p), p.Subtract(g),
            p.Subtract(numbers[3]), one, two, p.Subtract(one), p, q, p.ShiftLeft(1), q.ShiftRight(1), p.Add(q.ShiftLeft(1)), p.Add(two),
                q.Add(two),
            BcInteger.Zero, g.Add(p),
        ];
        int changes = seed % 4 == 3 ? 2 : 1;
        for (int i = 0; i < changes; i++) numbers[random.Bytes(1)[0] % 4] = others[random.Bytes(1)[0] % others.Length];
        var bytes = numbers.Select(Oracle.Minimal).ToArray();
        bool accepted = DsaPublicKey.TryCreate(bytes[0], bytes[1], bytes[2], bytes[3], out _);
        Assert.Equal(IsSound(numbers[0], numbers[1], numbers[2], numbers[3]), accepted);
    });

    /// <summary>g = 1 modulo one factor of p and of order q modulo the other: every equation holds but that q divides p − 1.</summary>
    [Fact]
    public void A_composite_p_with_elements_of_order_q_is_refused_as_q_does_not_divide_p_minus_1()
    {
        foreach (var key in Keys.Select(k => k.PublicKey).Where(k => k.P.Length == 128))
        {
            BcInteger one = BcInteger.One, p = Oracle.Integer(key.P), q = Oracle.Integer(key.Q), r = new BcInteger(512, 100,
                Oracle.Random(1));
            BcInteger composite = p.Multiply(r), g = Lift(Oracle.Integer(key.G)), y = Lift(Oracle.Integer(key.Y));
            Assert.Equal(one, g.ModPow(q, composite));
            Assert.False(IsSound(composite, q, g, y));
            Assert.False(DsaPublicKey.TryCreate(Oracle.Minimal(composite), key.Q, Oracle.Minimal(g), Oracle.Minimal(y), out _));

            // x = value mod p, x = 1 mod r.
            BcInteger Lift(BcInteger value) => value.Add(one.Subtract(value).Multiply(p.ModInverse(r)).Mod(r).Multiply(p));
        }
    }

    /// <summary>Checklist A6.1.</summary>
    private static bool IsSound(BcInteger p, BcInteger q, BcInteger g, BcInteger y)
    {
        if (p.BitLength is < 1024 or > 3072 || q.BitLength != 160 || !p.TestBit(0) || !Oracle.IsPrime(q)) return false;
        if (p.Subtract(BcInteger.One).Mod(q).SignValue != 0) return false;
        foreach (var element in new[] { g, y })
        {
            if (element.CompareTo(BcInteger.One) <= 0 || element.CompareTo(p) >= 0) return false;
            if (!element.ModPow(q, p).Equals(BcInteger.One)) return false;
        }
        return true;
    }
}
