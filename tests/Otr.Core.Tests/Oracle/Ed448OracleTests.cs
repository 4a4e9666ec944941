using Org.BouncyCastle.Math.EC.Rfc7748;
using Otr.Core.Crypto.Ed448;
using Otr.Core.Tests.Crypto;
using Otr.Core.Tests.Kit;
using Otr.Core.Tests.V4;
using Otr.Core.V4.Dake;
using Bc = Org.BouncyCastle.Math.EC.Rfc8032.Ed448;
using BcInteger = Org.BouncyCastle.Math.BigInteger;

namespace Otr.Core.Tests.Oracle;

/// <summary>Ed448 against BouncyCastle: keys, signatures, validity of points, and multiples by way of X448.</summary>
public class Ed448OracleTests
{
    private static readonly BcInteger Q = Little(Ed448Scalar.Order);

    private static readonly BcInteger P = BcInteger.One.ShiftLeft(448).Subtract(BcInteger.One.ShiftLeft(224)).Subtract(BcInteger.One);

    private static BcInteger Little(ReadOnlySpan<byte> bytes)
    {
        var copy = bytes.ToArray();
        Array.Reverse(copy);
        return Oracle.Integer(copy);
    }

    private static byte[] Little(BcInteger value, int length)
    {
        var bytes = Oracle.Bytes(value, length);
        Array.Reverse(bytes);
        return bytes;
    }

    [Fact]
    public void Keys_and_signatures_are_BouncyCastles_bit_for_bit() => LongRuns.Search(Oracle.Box, 20, seed =>
    {
        var random = new SeededRandom(seed);
        byte[] secret = random.Bytes(57), message = random.Bytes(seed % 300);
        byte[] expected = new byte[Bc.PublicKeySize], signature = new byte[Bc.SignatureSize];
        using var key = new Ed448SigningKey(secret);
        Bc.GeneratePublicKey(secret, 0, expected, 0);
        Assert.Equal(expected, key.Public.Encoding);
        Bc.Sign(secret, 0, [], message, 0, message.Length, signature, 0);
        var own = new byte[Ed448Signature.Size];
        key.Sign(message, own);
        Assert.Equal(signature, own);
        Assert.True(Ed448Signature.Verify(key.Public, message, own));
        own[random.Bytes(1)[0] % own.Length] ^= (byte)(1 << seed % 8);
        Assert.False(Ed448Signature.Verify(key.Public, message, own));
    });

    [Fact]
    public void Scalars_are_those_of_BouncyCastles_integers() => LongRuns.Search(Oracle.Box, 100, seed =>
    {
        var random = new SeededRandom(seed);
        byte[] bytesA = Encoding(random), bytesB = Encoding(random), bytesR = Encoding(random);
        BcInteger a = Little(bytesA).Mod(Q), b = Little(bytesB).Mod(Q), r = Little(bytesR).Mod(Q);
        using Ed448Scalar sa = Ed448Scalar.Reduce(bytesA), sb = Ed448Scalar.Reduce(bytesB), sr = Ed448Scalar.Reduce(bytesR);
        Assert.Equal(Little(a, 57), sa.Encode());
        Assert.Equal(Little(a.Add(b).Mod(Q), 57), Ed448Scalar.Add(sa, sb).Encode());
        Assert.Equal(Little(a.Subtract(b).Mod(Q), 57), Ed448Scalar.Subtract(sa, sb).Encode());
        Assert.Equal(Little(a.Multiply(b).Mod(Q), 57), Ed448Scalar.Multiply(sa, sb).Encode());
        Assert.Equal(Little(r.Subtract(a.Multiply(b)).Mod(Q), 57), Ed448Scalar.SubtractProduct(sr, sa, sb).Encode());
        Assert.Equal(Little(a.Negate().Mod(Q), 57), sa.Negate().Encode());
        Assert.Equal(bytesA.Length == 57 && Little(bytesA).CompareTo(Q) < 0, Ed448Scalar.IsReduced(bytesA));
    });

    /// <summary>Of any length up to 120 bytes; often around a multiple of q.</summary>
    private static byte[] Encoding(SeededRandom random)
    {
        var choice = random.Bytes(3);
        if (choice[0] >= 96) return random.Bytes(choice[0] < 200 ? 57 : choice[1] % 121);
        var multiple = Q.Multiply(BcInteger.ValueOf(choice[1] % 9)).Add(BcInteger.ValueOf(choice[2] % 5 - 2));
        return Little(multiple.Max(BcInteger.Zero), 57);
    }

    /// <summary>
    /// The isogeny u = y²/x² from Ed448 to Curve448 (RFC 7748 §4.2) takes multiples to multiples, and X448 computes those by other
    /// formulas. It sees neither the sign nor a difference of small order, which other tests do.
    /// </summary>
    [Fact]
    public void Multiples_of_any_point_are_those_that_X448_computes() => LongRuns.Search(Oracle.Box, 10, seed =>
    {
        var random = new SeededRandom(seed);
        using var pair = Ed448KeyPair.Generate(random);
        var k = random.Bytes(57);
        if (seed % 4 == 1) k.AsSpan().Fill((byte)(seed % 8 == 1 ? 0xFF : 0));
        Ed448Scalar.Prune(k);
        using var scalar = Ed448Scalar.Reduce(k);
        byte[] expected = new byte[56], u = OnCurve448(pair.Public);
        X448.ScalarMult(k, 0, u, 0, expected, 0);
        Assert.Equal(expected, OnCurve448(pair.Public.Multiply(scalar)));
        using var zero = Ed448Scalar.Reduce([]);
        Assert.Equal(expected, OnCurve448(pair.Public.MultiplyBaseAddVar(zero, scalar)));

        X448.ScalarMultBase(k, 0, expected, 0);
        Assert.Equal(expected, OnCurve448(Ed448Point.MultiplyBase(scalar)));
        Assert.Equal(expected, OnCurve448(Ed448Point.Base.Multiply(scalar)));
    });

    private static byte[] OnCurve448(Ed448Point point)
    {
        var y = Little(point.Encoding[..56]);
        // x² = (1 − y²)/(1 + 39081·y²), so that u needs no root.
        BcInteger one = BcInteger.One, y2 = y.Multiply(y).Mod(P), denominator = one.Add(y2.Multiply(BcInteger.ValueOf(39081))).Mod(P);
        return Little(y2.Multiply(denominator).Multiply(one.Subtract(y2).Mod(P).ModInverse(P)).Mod(P), 56);
    }

    [Fact]
    public void All_ways_to_multiply_agree_and_are_linear() => LongRuns.Search(Oracle.Box, 10, seed =>
    {
        var random = new SeededRandom(seed);
        using Ed448KeyPair a = Ed448KeyPair.Generate(random), b = Ed448KeyPair.Generate(random);
        using Ed448Scalar k = Ed448Scalar.Reduce(Encoding(random)), l = Ed448Scalar.Reduce(Encoding(random));
        var byWindows = Ed448Point.MultiplyBase(k).Add(a.Public.Multiply(l));
        Assert.Equal(byWindows.Encoding, a.Public.MultiplyBaseAddVar(k, l).Encoding);
        Assert.Equal(byWindows.Encoding, Ed448Point.Base.Multiply(Ed448Scalar.Add(k, Ed448Scalar.Multiply(a.Secret, l))).Encoding);
        Assert.Equal(a.Public.Add(b.Public).Multiply(k).Encoding, a.Public.Multiply(k).Add(b.Public.Multiply(k)).Encoding);
        Assert.Equal(a.Public.Multiply(k).Subtract(b.Public.Multiply(k)).Encoding, a.Public.Subtract(b.Public).Multiply(k).Encoding);
        Assert.Equal(a.Public.Multiply(b.Secret).Encoding, b.Public.Multiply(a.Secret).Encoding);
    });

    /// <summary>
    /// Random encodings decode half of the time and lie in the subgroup an eighth of it; sums with points of small order never do.
    /// </summary>
    [Fact]
    public void Points_are_valid_if_and_only_if_q_times_them_is_the_identity() => LongRuns.Search(Oracle.Box, 20, seed =>
    {
        var random = new SeededRandom(seed);
        var encoding = random.Bytes(57);
        encoding[56] &= 0x80;
        if (seed % 4 == 0) encoding = Ed448KeyPair.FromSeed(encoding).Public.Encoding.ToArray();
        using var workspace = Ed448Workspace.Take();
        uint[] x = Ed448Workspace.NewElement(), y = Ed448Workspace.NewElement();
        bool onCurve = workspace.TryDecompress(encoding, x, y);
        Assert.Equal(onCurve && HasOrderQ(workspace, x, y), Ed448Point.TryDecode(encoding, out var point));
        if (point is null) return;

        // Order 2: (0, −1). Order 4: (±1, 0).
        BcInteger zero = BcInteger.Zero, one = BcInteger.One, minusOne = P.Subtract(one);
        foreach (var (tx, ty) in new[] { (zero, minusOne), (one, zero), (minusOne, zero) })
        {
            uint[] torsionX = Element(tx), torsionY = Element(ty);
            workspace.Sum.Set(x, y);
            workspace.AddAffine(workspace.Sum, workspace.Sum, torsionX, torsionY);
            uint[] sumX = Ed448Workspace.NewElement(), sumY = Ed448Workspace.NewElement();
            workspace.Normalise(workspace.Sum, sumX, sumY);
            var mixed = new byte[57];
            X448Field.Encode(sumY, mixed);
            mixed[56] = (byte)((sumX[0] & 1) << 7);
            Assert.True(workspace.TryDecompress(mixed, torsionX, torsionY));
            Assert.False(HasOrderQ(workspace, sumX, sumY));
            Assert.False(Ed448Point.TryDecode(mixed, out _));
        }

        static uint[] Element(BcInteger value)
        {
            var element = Ed448Workspace.NewElement();
            X448Field.Decode448(Little(value, 56), element);
            return element;
        }
    });

    /// <summary>By double and add, bit by bit.</summary>
    private static bool HasOrderQ(Ed448Workspace workspace, uint[] x, uint[] y)
    {
        workspace.Sum.SetIdentity();
        for (int i = Q.BitLength - 1; i >= 0; i--)
        {
            workspace.Double(workspace.Sum, workspace.Sum);
            if (Q.TestBit(i)) workspace.AddAffine(workspace.Sum, workspace.Sum, x, y);
        }
        uint[] resultX = Ed448Workspace.NewElement(), resultY = Ed448Workspace.NewElement();
        workspace.Normalise(workspace.Sum, resultX, resultY);
        return X448Field.IsZeroVar(resultX) && X448Field.IsOneVar(resultY) && !(X448Field.IsZeroVar(x) && X448Field.IsOneVar(y));
    }

    [Fact]
    public void Ring_signatures_of_every_position_verify_and_alterations_do_not() => LongRuns.Search(Oracle.Box, 6, seed =>
    {
        var random = new SeededRandom(seed);
        Ed448KeyPair[] keys = [Ed448KeyPair.Generate(random), Ed448KeyPair.Generate(random), Ed448KeyPair.Generate(random)];
        Ed448Point[] ring = [.. keys.Select(k => k.Public)];
        byte[] message = random.Bytes(seed % 100), sigma = new byte[RingSignature.Size];
        Assert.True(RingSignature.TrySign(random, keys[seed % 3].Secret, seed % 3, ring, message, sigma));
        Assert.True(RingSignature.Verify(ring, message, sigma));
        Assert.False(RingSignature.Verify([ring[1], ring[0], ring[2]], message, sigma));
        Assert.False(RingSignature.Verify(ring, [.. message, 0], sigma));
        sigma[BitConverter.ToUInt16(random.Bytes(2)) % sigma.Length] ^= (byte)(1 << random.Bytes(1)[0] % 8);
        Assert.False(RingSignature.Verify(ring, message, sigma));
    });
}
