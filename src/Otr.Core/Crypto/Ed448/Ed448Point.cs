using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc7748;
using Rfc8032 = Org.BouncyCastle.Math.EC.Rfc8032;

namespace Otr.Core.Crypto.Ed448;

/// <summary>
/// A point of Ed448's subgroup of prime order q. An instance is the proof: it was decoded with all checks, or computed from such points.
/// Immutable until disposed, which wipes it (for shared secrets; public points need no disposal).
/// </summary>
internal sealed class Ed448Point : IDisposable
{
    /// <summary>Bytes of a POINT: y little-endian, the sign of x in the top bit.</summary>
    public const int Size = 57;

    /// <summary>The base point of RFC 8032 §5.2.</summary>
    public static readonly Ed448Point Base = Decode(
        "14FA30F25B790898ADC8D74E2C13BDFDC4397CE61CFFD33AD7C2A0051E9C78874098A36C7373EA4B62C7C9563720768824BCB66E71463F6900");

    private readonly byte[] _encoding;

    private Ed448Point(uint[] x, uint[] y, bool isPublic)
    {
        (X, Y) = (x, y);
        _encoding = isPublic ? new byte[Size] : GC.AllocateArray<byte>(Size, pinned: true);
        X448Field.Encode(y, _encoding.AsSpan(0, Size - 1));
        _encoding[^1] = (byte)((x[0] & 1) << 7);
    }

    /// <summary>Affine coordinates in the field's unique representation. Not to be written to.</summary>
    internal uint[] X { get; }
    internal uint[] Y { get; }

    /// <summary>The POINT, 57 bytes.</summary>
    public ReadOnlySpan<byte> Encoding => _encoding;

    /// <summary>Only results of arithmetic can be: a received identity is refused.</summary>
    public bool IsIdentity
    {
        get
        {
            int other = _encoding[0] ^ 1;
            foreach (byte b in _encoding.AsSpan(1)) other |= b;
            return other == 0;
        }
    }

    /// <summary>
    /// Decodes a received POINT (checklist C1.2, C1.3): false unless y is below p, the point is on the curve, its encoding is the only one,
    /// it is not the identity, and q times it is. A quarter of a millisecond; for public values.
    /// </summary>
    public static bool TryDecode(ReadOnlySpan<byte> encoding, [NotNullWhen(true)] out Ed448Point? point)
    {
        point = null;
        if (encoding.Length != Size || !Rfc8032.Ed448.ValidatePublicKeyFull(encoding)) return false;
        using var workspace = Ed448Workspace.Take();
        uint[] x = X448Field.Create(), y = X448Field.Create();
        if (!workspace.TryDecompress(encoding, x, y)) return false;
        point = new Ed448Point(x, y, isPublic: true);
        return true;
    }

    /// <summary>
    /// Takes back a point that was decoded or computed before, from where nobody else can have written; throws if it is not on the curve.
    /// </summary>
    /// <remarks>For snapshots, whose tags have verified: leaves out the multiplication by q.</remarks>
    public static Ed448Point Restore(ReadOnlySpan<byte> encoding)
    {
        using var workspace = Ed448Workspace.Take();
        uint[] x = X448Field.Create(), y = X448Field.Create();
        if (!workspace.TryDecompress(encoding, x, y)) throw new ArgumentException("Not the encoding of a point.", nameof(encoding));
        return new Ed448Point(x, y, isPublic: true);
    }

    /// <summary>k·G. Constant-time.</summary>
    public static Ed448Point MultiplyBase(Ed448Scalar k)
    {
        using var workspace = Ed448Workspace.Take();
        Ed448Multiplication.MultiplyBase(workspace, k);
        return Result(workspace);
    }

    /// <summary>k·P. Constant-time.</summary>
    public Ed448Point Multiply(Ed448Scalar k)
    {
        using var workspace = Ed448Workspace.Take();
        Ed448Multiplication.Multiply(workspace, k, X, Y);
        return Result(workspace);
    }

    /// <summary>r·G + c·P, with shared doublings. For public values: the time depends on r, c and P.</summary>
    public Ed448Point MultiplyBaseAddVar(Ed448Scalar r, Ed448Scalar c)
    {
        using var workspace = Ed448Workspace.Take();
        Ed448Multiplication.MultiplyBaseAddVar(workspace, r, c, X, Y);
        return Result(workspace, isPublic: true);
    }

    /// <summary>P + Q. Constant-time.</summary>
    public Ed448Point Add(Ed448Point other)
    {
        using var workspace = Ed448Workspace.Take();
        workspace.Sum.Set(X, Y);
        workspace.AddAffine(workspace.Sum, workspace.Sum, other.X, other.Y);
        return Result(workspace);
    }

    /// <summary>P − Q. Constant-time.</summary>
    public Ed448Point Subtract(Ed448Point other)
    {
        using var workspace = Ed448Workspace.Take();
        workspace.Sum.Set(X, Y);
        workspace.Term.Set(other.X, other.Y);
        workspace.Negate(workspace.Term.X, -1);
        workspace.AddAffine(workspace.Sum, workspace.Sum, workspace.Term.X, workspace.Term.Y);
        return Result(workspace);
    }

    /// <summary>Constant-time.</summary>
    public bool FixedTimeEquals(Ed448Point other) => CryptographicOperations.FixedTimeEquals(_encoding, other._encoding);

    /// <summary>Wipes.</summary>
    public void Dispose()
    {
        Ed448Workspace.Wipe(X);
        Ed448Workspace.Wipe(Y);
        CryptographicOperations.ZeroMemory(_encoding);
    }

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(Ed448Point);

    /// <summary>Pinned memory is for what may be secret: the garbage collector gets to it in full collections only.</summary>
    private static Ed448Point Result(Ed448Workspace workspace, bool isPublic = false)
    {
        uint[] x = isPublic ? X448Field.Create() : Ed448Workspace.NewElement(),
            y = isPublic ? X448Field.Create() : Ed448Workspace.NewElement();
        workspace.Normalise(workspace.Sum, x, y);
        return new Ed448Point(x, y, isPublic);
    }

    private static Ed448Point Decode(string hex) =>
        TryDecode(Convert.FromHexString(hex), out var point) ? point : throw new InvalidOperationException("The base point was refused.");
}
