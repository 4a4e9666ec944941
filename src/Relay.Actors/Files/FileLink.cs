using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Relay.Storage.Sealing;

namespace Relay.Actors.Files;

/// <summary>
/// The token of a link to a blob: which file it is, and a MAC of that under the store's key of ids (HMAC-SHA256, 128 bits), which only
/// the server has. It is not stored, and ends with the file.
/// </summary>
internal static class FileLink
{
    private const char Separator = '.';

    public static string Token(KeyedIds ids, string endpointId, string fileId)
        => $"{endpointId}{Separator}{fileId}{Separator}{KeyedIds.Base32(Mac(ids, endpointId, fileId))}";

    /// <returns>The file that a token is of; null for any other text.</returns>
    public static (string EndpointId, string FileId)? TryOpen(KeyedIds ids, string token)
    {
        if (token.Split(Separator) is not [{ Length: > 0 and <= RelayLimits.MaxAddressBytes } endpointId, var fileId, var mac]) return null;
        if (!KeyedIds.IsId(fileId) || KeyedIds.TryParse(mac) is not { } given) return null;
        Span<byte> expected = stackalloc byte[16], actual = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(expected, Mac(ids, endpointId, fileId));
        BinaryPrimitives.WriteUInt128BigEndian(actual, given);
        return CryptographicOperations.FixedTimeEquals(expected, actual) ? (endpointId, fileId) : null;
    }

    private static UInt128 Mac(KeyedIds ids, string endpointId, string fileId)
        => ids.Of("file/link", Encoding.UTF8.GetBytes(endpointId), Encoding.UTF8.GetBytes(fileId));
}
