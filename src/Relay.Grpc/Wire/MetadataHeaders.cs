using Grpc.Core;

namespace Grpc.Wire;

/// <summary>Between metadata entries and HTTP headers ("PROTOCOL-HTTP2", "Custom-Metadata").</summary>
internal static class MetadataHeaders
{
    // What the protocol or HTTP itself uses; never shown as metadata, and not sent from it.
    private static readonly HashSet<string> ReservedNames = new(StringComparer.OrdinalIgnoreCase)
    {
        GrpcProtocol.StatusHeader, GrpcProtocol.MessageHeader, GrpcProtocol.TimeoutHeader, GrpcProtocol.EncodingHeader,
        GrpcProtocol.AcceptEncodingHeader, GrpcProtocol.CompressionRequestHeader, "grpc-message-type",
        "content-type", "content-length", "te", "host", "connection", "transfer-encoding", "upgrade", "trailer",
        "keep-alive", "proxy-connection",
    };

    public static bool IsReserved(string name) => name.StartsWith(':') || ReservedNames.Contains(name);

    /// <summary>Adds the entries of one received header line.</summary>
    /// <returns>False if a binary value is not base64.</returns>
    public static bool TryAdd(Metadata metadata, string name, string value)
    {
        if (IsReserved(name) || !Metadata.Entry.IsValidKey(name))
            return true;
        if (!name.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.OrdinalIgnoreCase))
        {
            metadata.Add(name, value);
            return true;
        }
        // HTTP may join equal names with commas, and a comma is no base64.
        foreach (Range part in value.AsSpan().Split(','))
        {
            if (!TryDecode(value.AsSpan()[part].Trim(), out byte[] bytes))
                return false;
            metadata.Add(name, bytes);
        }
        return true;
    }

    /// <summary>The header value of an entry: the text, or base64 without padding.</summary>
    /// <exception cref="RpcException">INTERNAL: the text is not printable ASCII and cannot be sent.</exception>
    public static string ToHeaderValue(Metadata.Entry entry)
    {
        if (entry.IsBinary)
            return Convert.ToBase64String(entry.Bytes).TrimEnd('=');
        foreach (char c in entry.Value)
        {
            if (c is < ' ' or > '~')
                throw new RpcException(new Status(StatusCode.Internal, $"The metadata entry {entry.Key} is not printable ASCII."));
        }
        return entry.Value;
    }

    private static bool TryDecode(ReadOnlySpan<char> base64, out byte[] bytes)
    {
        base64 = base64.TrimEnd('=');
        Span<char> padded = base64.Length <= 512 ? stackalloc char[base64.Length + 3] : new char[base64.Length + 3];
        base64.CopyTo(padded);
        int length = base64.Length;
        while (length % 4 != 0)
            padded[length++] = '=';
        bytes = new byte[length / 4 * 3];
        if (!Convert.TryFromBase64Chars(padded[..length], bytes, out int written))
            return false;
        Array.Resize(ref bytes, written);
        return true;
    }
}
