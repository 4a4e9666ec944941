using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Otr.Core.Keys;

/// <summary>
/// A file that people have had in an editor: without its byte order mark, and as UTF-8 if it was saved in UTF-16. A copy that had to
/// be made for that is wiped on disposal.
/// </summary>
internal readonly ref struct FileText : IDisposable
{
    private readonly byte[]? _copy;

    public FileText(ReadOnlySpan<byte> file)
    {
        Text = file;
        if (file.StartsWith("\uFEFF"u8)) Text = file[3..];
        else if (file.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE])) Text = _copy = Transcode(file[2..], Encoding.Unicode);
        else if (file.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF])) Text = _copy = Transcode(file[2..], Encoding.BigEndianUnicode);
    }

    /// <summary>The file as UTF-8, if it is text at all.</summary>
    public ReadOnlySpan<byte> Text { get; }

    private static byte[] Transcode(ReadOnlySpan<byte> utf16, Encoding encoding)
    {
        var characters = new char[encoding.GetCharCount(utf16)];
        encoding.GetChars(utf16, characters);
        var copy = Encoding.UTF8.GetBytes(characters);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(characters.AsSpan()));
        return copy;
    }

    public void Dispose()
    {
        if (_copy is not null) CryptographicOperations.ZeroMemory(_copy);
    }
}
