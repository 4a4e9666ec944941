using System.Numerics;
using Otr.Core.Crypto;
using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Smp;

/// <summary>The peer of the attack, on the core's fast arithmetic; its messages hold against every check but that of membership.</summary>
internal sealed class SubgroupAttack(int seed)
{
    private const int Size = Group1536.ElementSize;

    private readonly SeededRandom _random = new(40_000 + seed);

    public byte[] Message1(bool negateBoth = false)
    {
        var message = new BigInteger[6];
        _ = Log(1, out message[0], out message[1], out message[2], negate: true);
        _ = Log(2, out message[3], out message[4], out message[5], negateBoth);
        return ReferenceSmp.Write(message);
    }

    /// <summary>Guesses that a2 is odd, which the victim tells by going on.</summary>
    public byte[] Message2(byte[] message1)
    {
        var theirs = ReferenceSmp.Read(message1);
        var m = new BigInteger[11];
        var b2 = Log(3, out m[0], out m[1], out m[2], negate: true);
        var b3 = Log(4, out m[3], out m[4], out m[5], negate: false);
        BigInteger g2 = ReferenceSmp.P - Exp(theirs[0], b2), g3 = Exp(theirs[3], b3), q = ReferenceSmp.Q;
        BigInteger r4 = Draw(), secret = Draw() >> 1280;
        (m[6], m[7]) = (Exp(g3, r4), Exp(2, r4) * Exp(g2, secret) % ReferenceSmp.P);
        while (true)
        {
            BigInteger r5 = Draw(), r6 = Draw();
            var c = ReferenceSmp.Hash(5, Exp(g3, r5), Exp(2, r5) * Exp(g2, r6) % ReferenceSmp.P);
            var d6 = ((r6 - secret * c) % q + q) % q;
            // g2 has the order 2q: what was taken off to get below q must be an even number of q's. And D6 is odd, so that the
            // proof holds for this sign of g2 and not for the other.
            if (!((r6 - secret * c - d6) / q).IsEven || d6.IsEven) continue;
            (m[8], m[9], m[10]) = (c, ((r5 - r4 * c) % q + q) % q, d6);
            return ReferenceSmp.Write(m);
        }
    }

    private BigInteger Log(int prefix, out BigInteger element, out BigInteger c, out BigInteger d, bool negate)
    {
        BigInteger x = Draw(), r, q = ReferenceSmp.Q;
        element = Exp(2, x);
        do c = ReferenceSmp.Hash(prefix, Exp(2, r = Draw()));
        while (negate && !c.IsEven);
        if (negate) element = ReferenceSmp.P - element;
        d = ((r - x * c) % q + q) % q;
        return x;
    }

    private BigInteger Draw()
    {
        var bytes = new byte[Size];
        _random.Fill(bytes);
        return Big.Number(bytes) % ReferenceSmp.Q;
    }

    private static BigInteger Exp(BigInteger @base, BigInteger exponent)
    {
        var result = new byte[Size];
        if (@base == 2) Group1536.ExpG(result, Big.Bytes(exponent, Size));
        else Group1536.Exp(result, Big.Bytes(@base, Size), Big.Bytes(exponent, Size));
        return Big.Number(result);
    }
}
