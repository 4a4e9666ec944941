using Otr.Core.Crypto.Ed448;

namespace Otr.Core.V4.Smp;

/// <summary>The prefix byte of each proof's hash (checklist C10.4); a proof of one place fits no other.</summary>
internal enum SmpPrefix4 : byte
{
    LogA2 = 1,
    LogA3 = 2,
    LogB2 = 3,
    LogB3 = 4,
    CoordinatesB = 5,
    CoordinatesA = 6,
    EqualLogsA = 7,
    EqualLogsB = 8,
}

/// <summary>
/// The three zero-knowledge proofs of SMP on Ed448, made and checked. Points that are checked were decoded with all checks; scalars may be
/// unreduced.
/// </summary>
internal static class SmpProof4
{
    /// <summary>Knowledge of x in G·x: c = H(prefix, G·r), d = r − x·c.</summary>
    public static void ProveLog(SmpPrefix4 prefix, Ed448Scalar x, Ed448Scalar r, ref SmpWriter4 message)
    {
        using var t = Ed448Point.MultiplyBase(r);
        using var c = Hash(prefix, t);
        message.Scalar(c);
        message.Response(r, c, x);
    }

    /// <summary>c = H(prefix, G·d + X·c)?</summary>
    public static bool VerifyLog(SmpPrefix4 prefix, Ed448Point x, Ed448Scalar c, Ed448Scalar d)
    {
        using var expected = Hash(prefix, x.MultiplyBaseAddVar(d, c));
        return c.FixedTimeEquals(expected);
    }

    /// <summary>
    /// P = G3·r4 and Q = G·r4 + G2·y share r4: cp = H(prefix, G3·r5, G·r5 + G2·r6), d5 = r5 − r4·cp, d6 = r6 − y·cp.
    /// </summary>
    public static void ProveCoordinates(
        SmpPrefix4 prefix, Ed448Point g2, Ed448Point g3, Ed448Scalar r4, Ed448Scalar secret, Ed448Scalar r5, Ed448Scalar r6,
        ref SmpWriter4 message)
    {
        using var t1 = g3.Multiply(r5);
        using var t2 = Sum(r5, g2, r6);
        using var c = Hash(prefix, t1, t2);
        message.Scalar(c);
        message.Response(r5, c, r4);
        message.Response(r6, c, secret);
    }

    /// <summary>cp = H(prefix, G3·d5 + P·cp, G·d5 + G2·d6 + Q·cp)?</summary>
    public static bool VerifyCoordinates(
        SmpPrefix4 prefix, Ed448Point g2, Ed448Point g3, Ed448Point p, Ed448Point q, Ed448Scalar c, Ed448Scalar d5, Ed448Scalar d6)
    {
        using var t1 = Sum(g3, d5, p, c);
        using var g2d6 = g2.Multiply(d6);
        using var t2 = q.MultiplyBaseAddVar(d5, c).Add(g2d6);
        using var expected = Hash(prefix, t1, t2);
        return c.FixedTimeEquals(expected);
    }

    /// <summary>R = D·x and G·x share x, D the difference of both Q: cr = H(prefix, G·r7, D·r7), d7 = r7 − x·cr.</summary>
    public static void ProveEqualLogs(SmpPrefix4 prefix, Ed448Point difference, Ed448Scalar x, Ed448Scalar r7, ref SmpWriter4 message)
    {
        using var t1 = Ed448Point.MultiplyBase(r7);
        using var t2 = difference.Multiply(r7);
        using var c = Hash(prefix, t1, t2);
        message.Scalar(c);
        message.Response(r7, c, x);
    }

    /// <summary>cr = H(prefix, G·d7 + G3x·cr, D·d7 + R·cr)?</summary>
    /// <param name="g3x">The prover's G·x.</param>
    public static bool VerifyEqualLogs(
        SmpPrefix4 prefix, Ed448Point g3x, Ed448Point difference, Ed448Point r, Ed448Scalar c, Ed448Scalar d7)
    {
        using var t2 = Sum(difference, d7, r, c);
        using var expected = Hash(prefix, g3x.MultiplyBaseAddVar(d7, c), t2);
        return c.FixedTimeEquals(expected);
    }

    /// <summary>G·a + P·b, constant-time.</summary>
    public static Ed448Point Sum(Ed448Scalar a, Ed448Point p, Ed448Scalar b) => Sum(Ed448Point.Base, a, p, b);

    private static Ed448Point Sum(Ed448Point p, Ed448Scalar a, Ed448Point q, Ed448Scalar b)
    {
        using var first = p.Multiply(a);
        using var second = q.Multiply(b);
        return first.Add(second);
    }

    /// <summary>HashToScalar(prefix ‖ a [‖ b]).</summary>
    private static Ed448Scalar Hash(SmpPrefix4 prefix, Ed448Point a, Ed448Point? b = null)
    {
        var shake = Kdf.Begin((byte)prefix);
        shake.Absorb(a.Encoding);
        if (b is not null) shake.Absorb(b.Encoding);
        var hash = Kdf.ToScalar(ref shake);
        shake.Dispose();
        return hash;
    }
}
