using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc7748;

namespace Otr.Core.Crypto.Ed448;

/// <summary>
/// Multiples of points. With secret scalars: 112 signed windows of four bits, a full scan of the table at each, the same additions whatever
/// the digits. With public ones: non-adjacent forms, both scalars down one ladder.
/// </summary>
internal static class Ed448Multiplication
{
    /// <summary>Multiples in a table: 1 to 8 for windows, odd ones for non-adjacent forms.</summary>
    public const int TableSize = 8;

    private const int Windows = 112;
    private const int Words = X448Field.Size;
    private const int AffineWords = 2 * Words;
    private const int ProjectiveWords = 3 * Words;

    /// <summary>Width of the base point's non-adjacent form, and the odd multiples that it needs.</summary>
    private const int BaseWidth = 7, BaseMultiples = 1 << (BaseWidth - 2);

    /// <summary>Width for other points: as many odd multiples as the table holds.</summary>
    private const int Width = 5;

    /// <summary>e·256^i·G for e = 1 to 8 and i = 0 to 55, affine: 57 kB.</summary>
    private static readonly Lazy<uint[]> Comb = new(MakeComb);

    /// <summary>G, 3G, 5G, …, affine.</summary>
    private static readonly Lazy<uint[]> OddMultiples = new(MakeOddMultiples);

    /// <summary>Builds the tables, for a server's start.</summary>
    public static void WarmUp() => _ = (Comb.Value, OddMultiples.Value);

    /// <summary>workspace.Sum = k·(x, y). Constant-time in both.</summary>
    public static void Multiply(Ed448Workspace workspace, Ed448Scalar k, uint[] x, uint[] y)
    {
        Span<sbyte> digits = stackalloc sbyte[Windows];
        Recode(k, digits);
        Ed448Coordinates sum = workspace.Sum, term = workspace.Term;
        var table = workspace.Table;
        term.Set(x, y);
        for (int e = 0; ; e++)
        {
            Store(term, table, e);
            if (e == TableSize - 1) break;
            workspace.AddAffine(term, term, x, y);
        }
        sum.SetIdentity();
        for (int i = Windows - 1; i >= 0; i--)
        {
            for (int j = 0; j < 4; j++) workspace.Double(sum, sum);
            Select(workspace, table, ProjectiveWords, digits[i]);
            workspace.Add(sum, sum, term);
        }
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(digits));
    }

    /// <summary>workspace.Sum = k·G. Constant-time.</summary>
    public static void MultiplyBase(Ed448Workspace workspace, Ed448Scalar k)
    {
        Span<sbyte> digits = stackalloc sbyte[Windows];
        Recode(k, digits);
        Ed448Coordinates sum = workspace.Sum, term = workspace.Term;
        ReadOnlySpan<uint> comb = Comb.Value;
        sum.SetIdentity();
        // The odd windows stand for 16 times what the table holds: they come first, and then four doublings.
        for (int first = 1; first >= 0; first--)
        {
            for (int i = first; i < Windows; i += 2)
            {
                Select(workspace, comb.Slice(i / 2 * TableSize * AffineWords, TableSize * AffineWords), AffineWords, digits[i]);
                workspace.AddAffine(sum, sum, term.X, term.Y);
            }
            for (int j = 0; j < 4 * first; j++) workspace.Double(sum, sum);
        }
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(digits));
    }

    /// <summary>workspace.Sum = r·G + c·(x, y). For public values: time depends on them.</summary>
    public static void MultiplyBaseAddVar(Ed448Workspace workspace, Ed448Scalar r, Ed448Scalar c, uint[] x, uint[] y)
    {
        Span<sbyte> baseDigits = stackalloc sbyte[8 * Ed448Scalar.Size], digits = stackalloc sbyte[8 * Ed448Scalar.Size];
        NonAdjacentForm(r, BaseWidth, baseDigits);
        NonAdjacentForm(c, Width, digits);
        Ed448Coordinates sum = workspace.Sum, term = workspace.Term;
        var table = workspace.Table;
        ReadOnlySpan<uint> multiples = OddMultiples.Value;

        // The table holds 1, 3, … 15 times the point; sum serves as its double.
        term.Set(x, y);
        workspace.Double(sum, term);
        for (int e = 0; ; e++)
        {
            Store(term, table, e);
            if (e == TableSize - 1) break;
            workspace.Add(term, term, sum);
        }
        sum.SetIdentity();
        bool started = false;
        for (int i = digits.Length - 1; i >= 0; i--)
        {
            if (started) workspace.Double(sum, sum);
            if (digits[i] != 0)
            {
                Load(workspace, table.AsSpan(Math.Abs(digits[i]) / 2 * ProjectiveWords, ProjectiveWords), digits[i] >> 7);
                workspace.Add(sum, sum, term);
                started = true;
            }
            if (baseDigits[i] != 0)
            {
                Load(workspace, multiples.Slice(Math.Abs(baseDigits[i]) / 2 * AffineWords, AffineWords), baseDigits[i] >> 7);
                workspace.AddAffine(sum, sum, term.X, term.Y);
                started = true;
            }
        }
    }

    /// <summary>
    /// k = Σ digits[i]·16^i with −8 ≤ digit ≤ 7: the nibbles of k + Σ 8·16^i, less 8 each. k &lt; 2^446, so the sum needs 448 bits.
    /// </summary>
    private static void Recode(Ed448Scalar k, Span<sbyte> digits)
    {
        Span<byte> bytes = stackalloc byte[Ed448Scalar.Size];
        k.Encode(bytes);
        int carry = 0;
        for (int i = 0; i < Windows / 2; i++)
        {
            int sum = bytes[i] + 0x88 + carry;
            carry = sum >> 8;
            digits[2 * i] = (sbyte)((sum & 15) - 8);
            digits[2 * i + 1] = (sbyte)(((sum >> 4) & 15) - 8);
        }
        CryptographicOperations.ZeroMemory(bytes);
    }

    /// <summary>Signed odd digits with at least width − 1 zeros between two; from the lowest.</summary>
    private static void NonAdjacentForm(Ed448Scalar k, int width, Span<sbyte> digits)
    {
        Span<byte> bytes = stackalloc byte[Ed448Scalar.Size + 2];
        k.Encode(bytes);
        digits.Clear();
        int carry = 0;
        for (int i = 0; i < digits.Length;)
        {
            int window = (bytes[i >> 3] | bytes[(i >> 3) + 1] << 8 | bytes[(i >> 3) + 2] << 16) >> (i & 7);
            if ((window & 1) == carry)
            {
                i++;
                continue;
            }
            int digit = (window & ((1 << width) - 1)) + carry;
            carry = digit >> (width - 1);
            digits[i] = (sbyte)(digit - (carry << width));
            i += width;
        }
    }

    private static void Store(Ed448Coordinates point, uint[] table, int entry)
    {
        int at = entry * ProjectiveWords;
        point.X.CopyTo(table, at);
        point.Y.CopyTo(table, at + Words);
        point.Z.CopyTo(table, at + 2 * Words);
    }

    private static void Load(Ed448Workspace workspace, ReadOnlySpan<uint> entry, int negative)
    {
        var term = workspace.Term;
        entry[..Words].CopyTo(term.X);
        entry.Slice(Words, Words).CopyTo(term.Y);
        if (entry.Length == ProjectiveWords) entry[(2 * Words)..].CopyTo(term.Z);
        workspace.Negate(term.X, negative);
    }

    /// <summary>workspace.Term = digit times the table's point; reads every entry. An affine table leaves Z as it is.</summary>
    private static void Select(Ed448Workspace workspace, ReadOnlySpan<uint> table, int entryWords, int digit)
    {
        int sign = digit >> 31;
        uint index = (uint)((digit ^ sign) - sign);
        Span<uint> masks = stackalloc uint[TableSize + 1];
        // All ones if e = index: only then is (e ⊕ index) − 1 negative.
        for (uint e = 0; e <= TableSize; e++) masks[(int)e] = (uint)(((int)(e ^ index) - 1) >> 31);
        var term = workspace.Term;
        for (int coordinate = 0; coordinate < entryWords / Words; coordinate++)
        {
            var limbs = coordinate switch { 0 => term.X, 1 => term.Y, _ => term.Z };
            Vector256<uint> low = default, high = default;
            for (int e = 0, at = coordinate * Words; e < TableSize; e++, at += entryWords)
            {
                var mask = Vector256.Create(masks[e + 1]);
                low |= mask & Vector256.Create(table.Slice(at, Words));
                high |= mask & Vector256.Create(table.Slice(at + 8, 8));
            }
            low.CopyTo(limbs);
            high.CopyTo(limbs, 8);
            // Nothing was selected for 0: the identity is (0, 1).
            if (coordinate > 0) limbs[0] |= masks[0] & 1;
        }
        workspace.Negate(term.X, sign);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(masks));
    }

    private static uint[] MakeComb()
    {
        var comb = new uint[Windows / 2 * TableSize * AffineWords];
        using var workspace = Ed448Workspace.Take();
        Ed448Coordinates power = new(), multiple = new();
        power.Set(Ed448Point.Base.X, Ed448Point.Base.Y);
        for (int i = 0, at = 0; i < Windows / 2; i++)
        {
            multiple.SetIdentity();
            for (int e = 0; e < TableSize; e++, at += AffineWords)
            {
                workspace.Add(multiple, multiple, power);
                StoreAffine(workspace, multiple, comb.AsSpan(at, AffineWords));
            }
            for (int j = 0; j < 8; j++) workspace.Double(power, power);
        }
        return comb;
    }

    private static uint[] MakeOddMultiples()
    {
        var multiples = new uint[BaseMultiples * AffineWords];
        using var workspace = Ed448Workspace.Take();
        Ed448Coordinates twice = new(), multiple = new();
        multiple.Set(Ed448Point.Base.X, Ed448Point.Base.Y);
        workspace.Double(twice, multiple);
        for (int e = 0; e < BaseMultiples; e++)
        {
            StoreAffine(workspace, multiple, multiples.AsSpan(e * AffineWords, AffineWords));
            workspace.Add(multiple, multiple, twice);
        }
        return multiples;
    }

    private static void StoreAffine(Ed448Workspace workspace, Ed448Coordinates point, Span<uint> entry)
    {
        uint[] x = Ed448Workspace.NewElement(), y = Ed448Workspace.NewElement();
        workspace.Normalise(point, x, y);
        x.CopyTo(entry);
        y.CopyTo(entry[Words..]);
    }
}
