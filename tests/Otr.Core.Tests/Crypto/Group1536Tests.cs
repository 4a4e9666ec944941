using System.Numerics;
using System.Security.Cryptography;
using Otr.Core.Crypto;
using Otr.Core.Crypto.Montgomery;

namespace Otr.Core.Tests.Crypto;

public class Group1536Tests
{
    private static readonly BigInteger P = ReferenceGroup.P, Q = ReferenceGroup.Q;

    [Theory]
    [MemberData(nameof(KernelTheoryData.All), MemberType = typeof(KernelTheoryData))]
    public void Powers_agree_with_OpenSSL(string kernel)
    {
        var kind = KernelTheoryData.Require(kernel);
        var group = new ModpGroup1536(kind);
        var result = new byte[192];
        int checkedLines = 0;
        foreach (var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Crypto", "Vectors", "modexp-1536.txt")).Where(l => !l.StartsWith('#')))
        {
            var parts = line.Split(' ').Select(Convert.FromHexString).ToArray();
            group.MultiExp(result, parts[0], parts[1], default, default);
            Assert.Equal(parts[2], result);
            if (Numbers.Of(parts[0]) == 2)
            {
                group.MultiExpG(result, parts[1], default, default, default, default);
                Assert.Equal(parts[2], result);
            }
            checkedLines++;
        }
        Assert.Equal(55, checkedLines);
    }

    [Fact]
    public void The_generator_to_a_known_exponent_hashes_to_the_known_key()
    {
        // Checklist A21, computed with Python: s = 2^0x1234567890abcdef, h2(00) = SHA-256(00 ‖ 000000c0 ‖ s).
        var s = new byte[192];
        Group1536.ExpG(s, Numbers.Hex("1234567890abcdef"));
        Assert.Equal("b0050816def6fb5d7e1653d8f1e1efdff788c62cda46e9e039aab327d732b62b",
            Convert.ToHexStringLower(SHA256.HashData([0, 0, 0, 0, 0xc0, .. s])));
    }

    [Theory]
    [MemberData(nameof(KernelTheoryData.All), MemberType = typeof(KernelTheoryData))]
    public void Every_operation_agrees_with_the_reference(string kernel)
    {
        var kind = KernelTheoryData.Require(kernel);
        var group = new ModpGroup1536(kind);
        var random = new SeededRandom((int)kind);
        var r = new byte[192];
        for (int i = 0; i < 6; i++)
        {
            byte[] a = random.Bytes(192), b = random.Bytes(192), x = random.Bytes(i % 2 == 0 ? 40 : 192), y = random.Bytes(32), z = random.Bytes(i % 3 == 0 ? 40 : 192);
            BigInteger ax = BigInteger.ModPow(Numbers.Of(a), Numbers.Of(x), P), by = BigInteger.ModPow(Numbers.Of(b), Numbers.Of(y), P), gz = BigInteger.ModPow(2, Numbers.Of(z), P);
            group.MultiExp(r, a, x, b, y);
            Assert.Equal(ax * by % P, Numbers.Of(r));
            group.MultiExpG(r, z, default, default, default, default);
            Assert.Equal(gz, Numbers.Of(r));
            group.MultiExpG(r, z, a, x, default, default);
            Assert.Equal(gz * ax % P, Numbers.Of(r));
            group.MultiExpG(r, z, a, x, b, y);
            Assert.Equal(gz * ax * by % P, Numbers.Of(r));
            group.Multiply(r, a, b);
            Assert.Equal(Numbers.Of(a) * Numbers.Of(b) % P, Numbers.Of(r));
            group.Invert(r, a);
            Assert.Equal(BigInteger.One, Numbers.Of(a) * Numbers.Of(r) % P);
            group.Invert(a, a);
            Assert.Equal(r, a);
        }
    }

    [Theory]
    [MemberData(nameof(KernelTheoryData.All), MemberType = typeof(KernelTheoryData))]
    public void Scalars_are_reduced_on_edges_and_at_random(string kernel)
    {
        var kind = KernelTheoryData.Require(kernel);
        var group = new ModpGroup1536(kind);
        var random = new SeededRandom(7);
        BigInteger top = (BigInteger.One << 1536) - 1;
        BigInteger[] values = [0, 1, Q - 1, Q, Q + 1, 2 * Q - 1, 2 * Q, 2 * Q + 1, top, top >> 1, Numbers.Of(random.Bytes(192)), Numbers.Of(random.Bytes(192)), Numbers.Of(random.Bytes(32))];
        var d = new byte[192];
        foreach (var r in values)
        {
            foreach (var a in values)
            {
                foreach (var c in values)
                {
                    group.ScalarMulSub(d, Numbers.Bytes(r, 192), Numbers.Bytes(a, 192), Numbers.Bytes(c, c < BigInteger.One << 256 ? 32 : 192));
                    var expected = (r - a * c) % Q;
                    Assert.Equal(expected.Sign < 0 ? expected + Q : expected, Numbers.Of(d));
                }
            }
        }
    }

    [Fact]
    public void Only_elements_from_2_to_p_minus_2_are_in_range()
    {
        BigInteger top = (BigInteger.One << 1536) - 1;
        foreach (var v in new[] { 2, 3, Q, P - 3, P - 2, BigInteger.One << 64, BigInteger.One << 1535 }) Assert.True(Group1536.IsInRange(Numbers.Bytes(v, 192)));
        foreach (var v in new[] { 0, 1, P - 1, P, P + 1, top }) Assert.False(Group1536.IsInRange(Numbers.Bytes(v, 192)));
        Assert.False(Group1536.IsInRange([]));
        Assert.False(Group1536.IsInRange(new byte[191]));
        Assert.False(Group1536.IsInRange(Numbers.Bytes(5, 193)));
    }

    [Fact]
    public void Only_scalars_from_1_to_q_minus_1_are_in_range()
    {
        foreach (var v in new[] { 1, 2, Q - 1, BigInteger.One << 1534 }) Assert.True(Group1536.IsScalarInRange(Numbers.Bytes(v, 192)));
        foreach (var v in new[] { 0, Q, Q + 1, P, (BigInteger.One << 1536) - 1 }) Assert.False(Group1536.IsScalarInRange(Numbers.Bytes(v, 192)));
        Assert.False(Group1536.IsScalarInRange([1]));
    }

    [Fact]
    public void The_facade_runs_on_the_chosen_kernel_and_takes_results_into_operands()
    {
        Assert.Equal(Kernels.Current, Group1536.Kernel);
        byte[] a = new SeededRandom(1).Bytes(192), e = new SeededRandom(2).Bytes(40);
        var expected = Numbers.Bytes(BigInteger.ModPow(Numbers.Of(a), Numbers.Of(e), P), 192);
        Group1536.Exp(a, a, e);
        Assert.Equal(expected, a);
        Group1536.MultiExpG(a, e, a, e);
        Assert.Equal(BigInteger.ModPow(2, Numbers.Of(e), P) * BigInteger.ModPow(Numbers.Of(expected), Numbers.Of(e), P) % P, Numbers.Of(a));
        Assert.Throws<ArgumentException>(() => Group1536.ExpG(new byte[192], new byte[193]));
        Assert.Throws<ArgumentException>(() => Group1536.Exp(new byte[192], new byte[193], e));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("avx512")]
    [InlineData("AVX2")]
    [InlineData("portable")]
    public void The_switch_forces_a_kernel_or_the_next_one_that_exists(string? word)
    {
        var kind = Kernels.Choose(word);
        Assert.True(Kernels.IsSupported(kind));
        var wanted = string.IsNullOrEmpty(word) ? KernelKind.Avx512 : Enum.Parse<KernelKind>(word, ignoreCase: true);
        Assert.Equal(Enum.GetValues<KernelKind>().Where(k => k <= wanted && Kernels.IsSupported(k)).Max(), kind);
    }

    [Fact]
    public void A_misspelt_switch_is_refused() => Assert.Throws<ArgumentException>(() => Kernels.Choose("avx51"));
}
