using System.Numerics;
using System.Runtime.CompilerServices;
using Otr.Core.Crypto;
using Otr.Core.Crypto.Montgomery;
using Otr.Core.Tests.Crypto;
using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Secrets;

/// <summary>What an exponentiation leaves on the stack: nothing of its window tables, and not the shared secret that it computed.</summary>
public sealed unsafe class StackTests
{
    private const int Below = 256 * 1024;

    [Theory]
    [MemberData(nameof(KernelTheoryData.All), MemberType = typeof(KernelTheoryData))]
    public void An_exponentiation_leaves_nothing(string kernel)
    {
        var group = new ModpGroup1536(KernelTheoryData.Require(kernel));
        byte[] @base = Big.Bytes(Big.Pow(2, 12345), 192), exponent = new byte[40], result = new byte[192];
        exponent.AsSpan().Fill(0x77);
        // The first entry of the table: base·R mod p, R = 2^1568, not fully reduced, in limbs of 56 bits.
        var entry = Big.Number(@base) * (BigInteger.One << 1568) % Big.P;
        var expected = Big.Pow(Big.Number(@base), Big.Number(exponent));
        var below = new ulong[Below / 8];
        // Once for the compiler, which leaves traces of its own.
        CopyStack(below);
        Exp(group, result, @base, exponent);
        Exp(group, result, @base, exponent);
        CopyStack(below);
        Assert.Equal(expected, Big.Number(result));
        foreach (var value in new[] { entry, entry + Big.P }) Assert.False(Holds(below, Limb(value, 0), Limb(value, 1)));
        // The result itself as it was converted, in words of 64 bits.
        Assert.False(Holds(below, (ulong)(expected & ulong.MaxValue), (ulong)((expected >> 64) & ulong.MaxValue)));
        // The search itself finds what is there.
        Leave(0x00AA5501020304, 0x0055AA04030201);
        CopyStack(below);
        Assert.True(Holds(below, 0x00AA5501020304, 0x0055AA04030201));
    }

    private static ulong Limb(BigInteger value, int limb) => (ulong)((value >> (56 * limb)) & ((BigInteger.One << 56) - 1));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Exp(ModpGroup1536 group, byte[] result, byte[] @base, byte[] exponent) =>
        group.MultiExp(result, @base, exponent, default, default);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Leave(ulong first, ulong second)
    {
        var words = stackalloc ulong[2048];
        for (var i = 0; i < 2048; i += 2) (words[i], words[i + 1]) = (first, second);
        GC.KeepAlive(words[2047]);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CopyStack(ulong[] to)
    {
        var words = stackalloc ulong[Below / 8];
        new Span<ulong>(words, Below / 8).CopyTo(to);
    }

    private static bool Holds(ulong[] words, ulong first, ulong second)
    {
        for (var i = 0; i + 1 < words.Length; i++)
            if (words[i] == first && words[i + 1] == second) return true;
        return false;
    }
}
