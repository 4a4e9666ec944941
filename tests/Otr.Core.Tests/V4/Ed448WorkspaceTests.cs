using System.Numerics;
using System.Runtime.InteropServices;
using Org.BouncyCastle.Math.EC.Rfc7748;
using Otr.Core.Crypto.Ed448;
using Otr.Core.Tests.Crypto;

namespace Otr.Core.Tests.V4;

/// <summary>
/// The formulas over BouncyCastle's field, with limbs at their bounds. Its Add does not carry and its Sub has no sign, so that a carry left
/// out shows for a few operands in 2^28 only: these are built so that it does. The formulas are polynomials; they are checked on any
/// coordinates, on the curve or not.
/// </summary>
public class Ed448WorkspaceTests
{
    private static readonly BigInteger P = (BigInteger.One << 448) - (BigInteger.One << 224) - 1;

    /// <summary>What a carried limb stays below; Sub wraps for a subtrahend above 2^29 − 4.</summary>
    private const uint CarriedLimb = (1u << 28) + (1 << 4);

    private static BigInteger Mod(BigInteger value) => (value % P + P) % P;

    private static BigInteger Inverse(BigInteger value) => BigInteger.ModPow(value, P - 2, P);

    /// <summary>Squares whose limbs, some or all, are as large or as small as can be, among them limb 8 that differs in p.</summary>
    private static IEnumerable<BigInteger> EdgeSquares()
    {
        var random = new SeededRandom(448);
        for (int kind = 0; kind < 15; kind++)
        {
            while (true)
            {
                var limbs = MemoryMarshal.Cast<byte, uint>(random.Bytes(64)).ToArray();
                for (int i = 0; i < limbs.Length; i++) limbs[i] &= 0xFFFFFFF;
                // With x = y, limb 8 of 2x² is as large as can be and that of 4x² as small: two bits come up into it from limb 7 and from
                // the top.
                if (kind >= 12)
                {
                    limbs[8] = 0xFFFFFFF;
                    limbs[7] = limbs[7] & 0x3FFFFFF | (uint)(kind - 11) << 26;
                    limbs[15] = limbs[15] & 0x3FFFFFF | (uint)(15 - kind) << 26;
                }
                for (int i = 1; i < limbs.Length && kind < 12; i++)
                {
                    bool isEdge = kind switch { < 4 => i == 8, < 8 => i is >= 8 and < 15, _ => i < 15 };
                    if (isEdge) limbs[i] = kind % 4 == 3 ? 0u : 0xFFFFFFFu - (uint)(kind % 4 == 2 ? i & 1 : 0);
                }
                var value = Value(limbs);
                if (value >= P || !BigInteger.ModPow(value, (P - 1) / 2, P).IsOne) continue;
                yield return value;
                break;
            }
        }
    }

    private static BigInteger Root(BigInteger square) => BigInteger.ModPow(square, (P + 1) / 4, P);

    private static BigInteger Value(ReadOnlySpan<uint> limbs)
    {
        BigInteger value = 0;
        for (int i = limbs.Length - 1; i >= 0; i--) value = (value << 28) + limbs[i];
        return value;
    }

    /// <summary>Limbs of a value below 2^448; or those of the largest carried form of the same residue.</summary>
    private static void Set(uint[] element, BigInteger value, bool largest = false)
    {
        if (largest && value + P < BigInteger.One << 448) value += P;
        for (int i = 0; i < element.Length; i++, value >>= 28) element[i] = (uint)(value & 0xFFFFFFF);
        // One more in a limb and 2^28 less in the next lower one: allowed while a limb may exceed 28 bits.
        if (!largest) return;
        for (int i = element.Length - 1; i > 0; i--)
        {
            if (element[i] == 0 || element[i - 1] >= CarriedLimb - (1u << 28)) continue;
            element[i]--;
            element[i - 1] += 1u << 28;
        }
    }

    private static void Check(Ed448Coordinates point, BigInteger x, BigInteger y, BigInteger z)
    {
        Assert.Equal((Mod(x), Mod(y), Mod(z)), (Mod(Value(point.X)), Mod(Value(point.Y)), Mod(Value(point.Z))));
        Assert.All(point.X.Concat(point.Y).Concat(point.Z), limb => Assert.True(limb < CarriedLimb, $"{limb:X}"));
    }

    private static (BigInteger X, BigInteger Y, BigInteger Z) ExpectedDouble(BigInteger x, BigInteger y, BigInteger z)
    {
        BigInteger b = (x + y) * (x + y), c = x * x, d = y * y, e = c + d, h = z * z, j = e - 2 * h;
        return ((b - e) * j, e * (c - d), e * j);
    }

    /// <summary>RFC 8032 §5.2.4 as it stands, with d = −39081.</summary>
    private static (BigInteger X, BigInteger Y, BigInteger Z) ExpectedSum(
        BigInteger x1, BigInteger y1, BigInteger z1, BigInteger x2, BigInteger y2, BigInteger z2)
    {
        BigInteger a = z1 * z2, b = a * a, c = x1 * x2, d = y1 * y2, e = -39081 * c * d, f = b - e, g = b + e, h = (x1 + y1) * (x2 + y2);
        return (a * f * (h - c - d), a * g * (d - c), f * g);
    }

    [Fact]
    public void Doublings_of_edge_operands_are_right()
    {
        using var workspace = Ed448Workspace.Take();
        var (p, r) = (new Ed448Coordinates(), new Ed448Coordinates());
        foreach (var square in EdgeSquares())
        {
            var root = Root(square);
            // x = y makes the least B beside the largest E, which is taken from it; x = y = 0 empties E, from which 2H is taken.
            (BigInteger, BigInteger, BigInteger)[] points =
            [
                (root, P - root, root), (root, P - root, 1), (root, root, root), (root, root, 1), (0, 0, root),
                (0, root, root), (root, 0, 0), (square, square, square), (0, 0, 0),
            ];
            foreach (var (x, y, z) in points)
            {
                foreach (bool largest in new[] { false, true })
                {
                    Set(p.X, x, largest);
                    Set(p.Y, y, largest);
                    Set(p.Z, z, largest);
                    workspace.Double(r, p);
                    var expected = ExpectedDouble(x, y, z);
                    Check(r, expected.X, expected.Y, expected.Z);
                    workspace.Double(p, p);
                    Check(p, expected.X, expected.Y, expected.Z);
                }
            }
        }
    }

    [Fact]
    public void Sums_of_edge_operands_are_right()
    {
        using var workspace = Ed448Workspace.Take();
        Ed448Coordinates p = new(), q = new(), r = new();
        var edges = EdgeSquares().Concat([0, 1, P - 1]).ToArray();
        foreach (var s in edges)
        {
            foreach (var t in edges)
            {
                // C = s, D = t with x1 = −y1, which empties H, from which C and D are taken; D = 0 or C = 0; B = 0; all the same.
                (BigInteger X1, BigInteger Y1, BigInteger Z1, BigInteger X2, BigInteger Y2, BigInteger Z2)[] pairs =
                    [(1, P - 1, 1, s, Mod(-t), t), (s, t, 1, 1, 0, s), (s, t, 0, 0, 1, t), (s, t, s, s, t, t), (Mod(-s), t, s, t, s, 1)];
                foreach (var (x1, y1, z1, x2, y2, z2) in pairs)
                {
                    foreach (bool largest in new[] { false, true })
                    {
                        Set(p.X, x1, largest);
                        Set(p.Y, y1, largest);
                        Set(p.Z, z1, largest);
                        Set(q.X, x2, largest);
                        Set(q.Y, y2, largest);
                        Set(q.Z, z2, largest);
                        workspace.Add(r, p, q);
                        var sum = ExpectedSum(x1, y1, z1, x2, y2, z2);
                        Check(r, sum.X, sum.Y, sum.Z);
                        workspace.AddAffine(r, p, q.X, q.Y);
                        var affine = ExpectedSum(x1, y1, z1, x2, y2, 1);
                        Check(r, affine.X, affine.Y, affine.Z);
                        workspace.Add(p, p, q);
                        Check(p, sum.X, sum.Y, sum.Z);
                    }
                }
            }
        }
    }

    [Fact]
    public void Opposites_and_affine_coordinates_of_edge_operands_are_right()
    {
        using var workspace = Ed448Workspace.Take();
        var p = new Ed448Coordinates();
        uint[] x = Ed448Workspace.NewElement(), y = Ed448Workspace.NewElement();
        foreach (var s in EdgeSquares().Concat([1, 2, P - 1]))
        {
            foreach (bool largest in new[] { false, true })
            {
                Set(p.X, s, largest);
                Set(p.Y, Mod(-s), largest);
                Set(p.Z, Root(s), largest);
                workspace.Normalise(p, x, y);
                Assert.Equal(Mod(s * Inverse(Root(s))), Value(x));
                Assert.Equal(Mod(-s * Inverse(Root(s))), Value(y));
                workspace.Negate(p.X, 0);
                Assert.Equal(s, Mod(Value(p.X)));
                workspace.Negate(p.X, -1);
                Assert.Equal(Mod(-s), Mod(Value(p.X)));
                Assert.All(p.X, limb => Assert.True(limb < CarriedLimb));
            }
        }
        Set(p.Z, 0);
        workspace.Normalise(p, x, y);
        Assert.Equal((0, 0), (Value(x), Value(y)));
    }

    /// <summary>The trap itself, so that a later version of the library that closes it, or moves it, is noticed.</summary>
    [Fact]
    public void Subtracting_an_uncarried_sum_is_wrong_and_a_carried_one_right()
    {
        uint[] large = X448Field.Create(), sum = X448Field.Create(), zero = X448Field.Create(), difference = X448Field.Create();
        large.AsSpan().Fill(0xFFFFFFF);
        X448Field.Add(large, large, sum);
        X448Field.Sub(zero, sum, difference);
        Assert.NotEqual(Mod(-2 * Value(large)), Mod(Value(difference)));
        X448Field.Carry(sum);
        X448Field.Sub(zero, sum, difference);
        Assert.Equal(Mod(-2 * Value(large)), Mod(Value(difference)));
    }

    [Fact]
    public void A_workspace_is_wiped_when_it_is_given_back_and_one_inside_another_is_its_own()
    {
        Ed448Workspace seen;
        using (var outer = Ed448Workspace.Take())
        {
            seen = outer;
            using var inner = Ed448Workspace.Take();
            Assert.NotSame(outer, inner);
            using var k = Ed448Scalar.Reduce([7]);
            Ed448Multiplication.Multiply(outer, k, Ed448Point.Base.X, Ed448Point.Base.Y);
            Assert.Contains(outer.Table, word => word != 0);
        }
        foreach (var memory in seen.Memory) Assert.All(memory, word => Assert.Equal(0u, word));
        using var again = Ed448Workspace.Take();
        Assert.Same(seen, again);
    }
}
