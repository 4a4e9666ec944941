using System.Security.Cryptography;

namespace Otr.Core.Crypto;

/// <summary>HMAC-SHA1 with the key's inner and outer midstates kept. CONTRACT STUB: midstates are to come.</summary>
internal sealed class HmacSha1 : IDisposable
{
    public const int Size = 20;
    private readonly byte[] _key;

    /// <param name="key">20 bytes in OTR; any length is taken.</param>
    public HmacSha1(ReadOnlySpan<byte> key) => _key = key.ToArray();

    /// <param name="mac">20 bytes.</param>
    public void Compute(ReadOnlySpan<byte> data, Span<byte> mac) => HMACSHA1.HashData(_key, data, mac);

    /// <summary>Wipes the midstates.</summary>
    public void Dispose() => CryptographicOperations.ZeroMemory(_key);
}
