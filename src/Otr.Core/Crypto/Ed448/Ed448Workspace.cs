using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc7748;

namespace Otr.Core.Crypto.Ed448;

/// <summary>Projective coordinates: x = X/Z, y = Y/Z. Limbs of the field, pinned.</summary>
internal sealed class Ed448Coordinates
{
    public readonly uint[] X = Ed448Workspace.NewElement(), Y = Ed448Workspace.NewElement(), Z = Ed448Workspace.NewElement();

    public void SetIdentity()
    {
        X448Field.Zero(X);
        X448Field.One(Y);
        X448Field.One(Z);
    }

    public void Set(uint[] x, uint[] y)
    {
        X448Field.Copy(x, X);
        X448Field.Copy(y, Y);
        X448Field.One(Z);
    }
}

/// <summary>
/// Group operations on x² + y² = 1 − 39081·x²·y² by the formulas of RFC 8032 §5.2.4, which hold for all pairs of points, equal ones and the
/// identity included. One workspace a thread; everything in it is wiped when its user is done (<see cref="Dispose"/>).
///
/// Bounds in <see cref="X448Field"/> (16 limbs of 28 bits in 32-bit words): results of Mul, Sqr, Sub and Carry are carried, that is below
/// 2^28 + 2^4. Add does not carry; Mul and Sqr take one such sum as either factor. Sub computes x + 2p − y limb by limb without a sign: it
/// takes a sum as minuend, but never as subtrahend.
/// </summary>
internal sealed class Ed448Workspace : IDisposable
{
    /// <summary>−d.</summary>
    private const uint MinusD = 39081;

    [ThreadStatic] private static Ed448Workspace? _ofThread;

    private readonly uint[] _a = NewElement(), _b = NewElement(), _c = NewElement();
    private readonly uint[] _d = NewElement(), _e = NewElement(), _f = NewElement();
    private bool _inUse;

    /// <summary>Operands of multiplications.</summary>
    public readonly Ed448Coordinates Sum = new(), Term = new();

    /// <summary>Multiples of a point, for look-ups.</summary>
    public readonly uint[] Table = GC.AllocateArray<uint>(Ed448Multiplication.TableSize * 3 * X448Field.Size, pinned: true);

    /// <summary>Zeroes in memory that the garbage collector doesn't move.</summary>
    public static uint[] NewElement() => GC.AllocateArray<uint>(X448Field.Size, pinned: true);

    public static void Wipe(uint[] words) => CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(words.AsSpan()));

    /// <summary>The thread's workspace, until disposed.</summary>
    public static Ed448Workspace Take()
    {
        var workspace = _ofThread ??= new Ed448Workspace();
        if (workspace._inUse) workspace = new Ed448Workspace();
        workspace._inUse = true;
        return workspace;
    }

    /// <summary>r = p + q; r may be p or q.</summary>
    public void Add(Ed448Coordinates r, Ed448Coordinates p, Ed448Coordinates q)
    {
        X448Field.Mul(p.Z, q.Z, _a);
        AddScaled(r, p, q.X, q.Y);
    }

    /// <summary>r = p + (x, y), an affine point; r may be p.</summary>
    public void AddAffine(Ed448Coordinates r, Ed448Coordinates p, uint[] x, uint[] y)
    {
        X448Field.Copy(p.Z, _a);
        AddScaled(r, p, x, y);
    }

    /// <summary>
    /// With A = Z1·Z2 in <see cref="_a"/>. E of the RFC is d·C·D, here with the sign of d taken out: F and G change places.
    /// </summary>
    private void AddScaled(Ed448Coordinates r, Ed448Coordinates p, uint[] qx, uint[] qy)
    {
        X448Field.Add(p.X, p.Y, _e);
        X448Field.Add(qx, qy, _f);
        X448Field.Mul(_e, _f, _f);          // H = (X1 + Y1)·(X2 + Y2)
        X448Field.Mul(p.X, qx, _c);         // C
        X448Field.Mul(p.Y, qy, _d);         // D
        X448Field.Sqr(_a, _b);              // B = A²
        X448Field.Mul(_c, _d, _e);
        X448Field.Mul(_e, MinusD, _e);      // −E
        X448Field.Sub(_f, _c, _f);
        X448Field.Sub(_f, _d, _f);          // H − C − D
        X448Field.Sub(_d, _c, _c);          // D − C
        X448Field.Sub(_b, _e, _d);          // G = B + E
        X448Field.Add(_b, _e, _b);          // F = B − E
        X448Field.Mul(_b, _d, r.Z);
        X448Field.Mul(_f, _b, _f);
        X448Field.Mul(_f, _a, r.X);
        X448Field.Mul(_c, _d, _c);
        X448Field.Mul(_c, _a, r.Y);
    }

    /// <summary>r = 2p; r may be p.</summary>
    public void Double(Ed448Coordinates r, Ed448Coordinates p)
    {
        X448Field.Add(p.X, p.Y, _a);
        X448Field.Sqr(_a, _b);              // B = (X + Y)²
        X448Field.Sqr(p.X, _c);             // C
        X448Field.Sqr(p.Y, _d);             // D
        X448Field.Sqr(p.Z, _e);             // H
        X448Field.Add(_c, _d, _f);
        X448Field.Carry(_f);                // E = C + D, a subtrahend below
        X448Field.Sub(_f, _e, _a);
        X448Field.Sub(_a, _e, _a);          // J = E − 2H
        X448Field.Sub(_b, _f, _b);
        X448Field.Mul(_b, _a, r.X);
        X448Field.Sub(_c, _d, _c);
        X448Field.Mul(_f, _c, r.Y);
        X448Field.Mul(_f, _a, r.Z);
    }

    /// <summary>r = −p where <paramref name="mask"/> is −1, p where it is 0.</summary>
    public void Negate(uint[] x, int mask)
    {
        X448Field.Zero(_a);
        X448Field.Sub(_a, x, _a);
        X448Field.CMov(mask, _a.AsSpan(), x.AsSpan());
    }

    /// <summary>
    /// x = X/Z and y = Y/Z, in the field's unique representation. By Fermat: 1/Z = Z^(p − 2) with p − 2 = 4·(2^223·(2^223 − 1) + 2^222 − 1)
    /// + 1.
    /// </summary>
    public void Normalise(Ed448Coordinates p, uint[] x, uint[] y)
    {
        // Names are the exponents' lengths in ones: e₉ = Z^(2^9 − 1).
        Power(p.Z, 1, p.Z, _a);             // e₂
        Power(_a, 1, p.Z, _a);              // e₃
        Power(_a, 3, _a, _b);               // e₆
        Power(_b, 3, _a, _a);               // e₉
        Power(_a, 9, _a, _a);               // e₁₈
        Power(_a, 1, p.Z, _b);              // e₁₉
        Power(_b, 18, _a, _a);              // e₃₇
        Power(_a, 37, _a, _b);              // e₇₄
        Power(_b, 37, _a, _a);              // e₁₁₁
        Power(_a, 111, _a, _a);             // e₂₂₂
        Power(_a, 1, p.Z, _b);              // e₂₂₃
        Power(_b, 223, _a, _a);
        Power(_a, 2, p.Z, _a);
        X448Field.Mul(p.X, _a, x);
        X448Field.Mul(p.Y, _a, y);
        X448Field.Normalize(x);
        X448Field.Normalize(y);
    }

    /// <summary>result = base^(2^squarings)·factor. The result may be either.</summary>
    private void Power(uint[] @base, int squarings, uint[] factor, uint[] result)
    {
        X448Field.Sqr(@base, squarings, _c);
        X448Field.Mul(_c, factor, result);
    }

    /// <summary>
    /// The affine point of an encoding, for public values: false unless y is below p, a root exists, and the sign is not that of −0. Points
    /// of any order are taken.
    /// </summary>
    public bool TryDecompress(ReadOnlySpan<byte> encoding, uint[] x, uint[] y)
    {
        if (encoding.Length != Ed448Point.Size || (encoding[^1] & 0x7F) != 0) return false;
        X448Field.Decode448(encoding, y);
        Span<byte> again = stackalloc byte[Ed448Point.Size - 1];
        X448Field.Copy(y, _a);
        X448Field.Normalize(_a);
        X448Field.Encode(_a, again);
        if (!again.SequenceEqual(encoding[..^1])) return false;
        // x² = (1 − y²)/(1 + 39081·y²)
        X448Field.Sqr(y, _a);
        X448Field.Mul(_a, MinusD, _b);
        X448Field.AddOne(_b);
        X448Field.One(_c);
        X448Field.Sub(_c, _a, _a);
        if (!X448Field.SqrtRatioVar(_a, _b, x)) return false;
        X448Field.Normalize(x);
        uint sign = (uint)encoding[^1] >> 7;
        if (X448Field.IsZeroVar(x) && sign == 1) return false;
        if ((x[0] & 1) != sign)
        {
            Negate(x, -1);
            X448Field.Normalize(x);
        }
        return true;
    }

    /// <summary>All that may hold a secret.</summary>
    internal IEnumerable<uint[]> Memory => [_a, _b, _c, _d, _e, _f, Table, Sum.X, Sum.Y, Sum.Z, Term.X, Term.Y, Term.Z];

    /// <summary>Wipes.</summary>
    public void Dispose()
    {
        foreach (var memory in Memory) Wipe(memory);
        _inUse = false;
    }
}
