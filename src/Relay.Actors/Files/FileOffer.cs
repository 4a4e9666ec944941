using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Relay.Actors.Files;

/// <summary>
/// What an extra-key TLV says of a file: the use-specific data behind the use number (docs/files.md, "Offer"). The OTR message that
/// carries it encrypts and authenticates it.
/// </summary>
/// <param name="TransferId">Random; 128 bits. The blob begins with it too.</param>
/// <param name="Size">Of the plaintext, in bytes.</param>
/// <param name="Sha256">Of the plaintext; 32 bytes.</param>
/// <param name="Name">The sender's name for it, without directories.</param>
/// <param name="Url">Where the blob can be fetched; empty: the network brings it.</param>
internal sealed record FileOffer(UInt128 TransferId, long Size, ReadOnlyMemory<byte> Sha256, string Name, string MediaType, string Url)
{
    /// <summary>The use number in TLV 8: "FILE" in ASCII.</summary>
    public const uint Use = 0x46494C45;

    public const int TransferIdSize = 16, DigestSize = 32;
    private const byte Version = 1;

    public override string ToString() => nameof(FileOffer);

    /// <summary>version (1) ‖ transfer id (16) ‖ size (8) ‖ SHA-256 (32) ‖ name, media type and URL, each with its length (4).</summary>
    public byte[] Encode()
    {
        string[] texts = [Name, MediaType, Url];
        var data = new byte[1 + TransferIdSize + sizeof(long) + DigestSize + texts.Sum(t => sizeof(int) + Encoding.UTF8.GetByteCount(t))];
        data[0] = Version;
        var rest = data.AsSpan(1);
        BinaryPrimitives.WriteUInt128BigEndian(rest, TransferId);
        BinaryPrimitives.WriteInt64BigEndian(rest[TransferIdSize..], Size);
        Sha256.Span.CopyTo(rest[(TransferIdSize + sizeof(long))..]);
        rest = rest[(TransferIdSize + sizeof(long) + DigestSize)..];
        foreach (var text in texts)
        {
            int length = Encoding.UTF8.GetBytes(text, rest[sizeof(int)..]);
            BinaryPrimitives.WriteInt32BigEndian(rest, length);
            rest = rest[(sizeof(int) + length)..];
        }
        return data;
    }

    /// <returns>Null if it is of another version, malformed, or beyond the bounds: peers may send anything.</returns>
    public static FileOffer? TryDecode(ReadOnlySpan<byte> data)
    {
        const int fixedSize = 1 + TransferIdSize + sizeof(long) + DigestSize;
        if (data.Length < fixedSize || data[0] != Version) return null;
        var id = BinaryPrimitives.ReadUInt128BigEndian(data[1..]);
        long size = BinaryPrimitives.ReadInt64BigEndian(data[(1 + TransferIdSize)..]);
        var digest = data.Slice(fixedSize - DigestSize, DigestSize).ToArray();
        var rest = data[fixedSize..];
        if (TakeText(ref rest) is not { } name || TakeText(ref rest) is not { } mediaType || TakeText(ref rest) is not { } url
            || !rest.IsEmpty) return null;
        if (size is < 0 or > FileLimits.MaxFileBytes) return null;
        return FileNames.IsName(name) && FileNames.IsMediaType(mediaType) && FileNames.IsUrl(url)
            ? new FileOffer(id, size, digest, name, mediaType, url) : null;
    }

    private static string? TakeText(ref ReadOnlySpan<byte> rest)
    {
        if (rest.Length < sizeof(int)) return null;
        uint length = BinaryPrimitives.ReadUInt32BigEndian(rest);
        rest = rest[sizeof(int)..];
        if (length > (uint)rest.Length) return null;
        var text = rest[..(int)length];
        rest = rest[(int)length..];
        return Utf8.IsValid(text) ? Encoding.UTF8.GetString(text) : null;
    }
}

/// <summary>What a file's name, type and address may be. Both sides of a transfer hold to it.</summary>
public static class FileNames
{
    /// <summary>
    /// 1 to <see cref="FileLimits.MaxNameBytes"/> bytes of UTF-8 that name a file and no path: no separators, no "." or "..", and no
    /// characters that are invisible, end a line or reorder text.
    /// </summary>
    public static bool IsName(string name)
    {
        if (name is "" or "." or ".." || Encoding.UTF8.GetByteCount(name) > FileLimits.MaxNameBytes) return false;
        if (name.AsSpan().ContainsAny('/', '\\', ':') || name.Trim() != name) return false;
        foreach (var rune in name.EnumerateRunes())
        {
            if (rune == Rune.ReplacementChar) return false;
            if (Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.Control or System.Globalization.UnicodeCategory.Format
                or System.Globalization.UnicodeCategory.LineSeparator or System.Globalization.UnicodeCategory.ParagraphSeparator
                or System.Globalization.UnicodeCategory.Surrogate or System.Globalization.UnicodeCategory.PrivateUse) return false;
        }
        return true;
    }

    /// <summary>Empty, or type/subtype of RFC 6838 without parameters, at most <see cref="FileLimits.MaxMediaTypeBytes"/> bytes.</summary>
    public static bool IsMediaType(string type)
    {
        if (type.Length == 0) return true;
        if (type.Length > FileLimits.MaxMediaTypeBytes) return false;
        var parts = type.Split('/');
        return parts.Length == 2 && parts.All(p => p.Length > 0 && char.IsAsciiLetterOrDigit(p[0])
            && p.All(c => char.IsAsciiLetterOrDigit(c) || "!#$&-^_.+".Contains(c, StringComparison.Ordinal)));
    }

    /// <summary>Empty, or an absolute https or http URL of printable ASCII without user information.</summary>
    public static bool IsUrl(string url) => url.Length == 0
        || (url.Length <= FileLimits.MaxUrlBytes && !url.AsSpan().ContainsAnyExceptInRange('!', '~')
            && Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http" && uri.UserInfo.Length == 0);
}
