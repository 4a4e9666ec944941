using System.Diagnostics.CodeAnalysis;
using Otr.Core.Wire;

namespace Otr.Core.Keys;

/// <summary>
/// A private key as potr (Gajim) and Go's OTR libraries (CoyIM) write it: SHORT type 0, then the MPIs p, q, g, y and x. Their MPIs
/// need not be minimal.
/// </summary>
internal static class SerializedKey
{
    /// <summary>Longest form: five numbers of at most <see cref="LibotrFileLimits.MaxAtomBytes"/>.</summary>
    public const int MaxBytes = 2 + 5 * (4 + LibotrFileLimits.MaxAtomBytes);

    /// <summary>Begins like one: the type, and the length of a p.</summary>
    public static bool IsLike(ReadOnlySpan<byte> file) =>
        file.Length is > 6 and <= MaxBytes && file[..4].IndexOfAnyExcept((byte)0) < 0 && file[4] is 0 or 1;

    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out DsaPrivateKey? key)
    {
        key = null;
        var reader = new OtrReader(bytes);
        var type = reader.ReadUInt16();
        ReadOnlySpan<byte> p = reader.ReadData(), q = reader.ReadData(), g = reader.ReadData();
        ReadOnlySpan<byte> y = reader.ReadData(), x = reader.ReadData();
        return reader.IsComplete && type == 0 && DsaPrivateKey.TryImport(p, q, g, y, x.TrimStart((byte)0), out key);
    }
}
