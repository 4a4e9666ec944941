using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Otr.Core.Crypto;

/// <summary>
/// The same on the base library's AES, for processors without (known) AES instructions: counter blocks through ECB. The library beneath is
/// constant-time there (bit-sliced or by instructions), which table look-ups of our own would not be.
/// </summary>
internal sealed class PortableAesCtr : IDisposable
{
    private const int BatchBytes = 512;

    private readonly Aes _aes = Aes.Create();

    public PortableAesCtr(ReadOnlySpan<byte> key) => _aes.SetKey(key);

    public void Transform(ulong counterTop, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        Span<byte> pad = stackalloc byte[BatchBytes];
        ulong block = 0;
        for (int done = 0; done < source.Length; done += BatchBytes)
        {
            int length = Math.Min(BatchBytes, source.Length - done);
            var batch = pad[..((length + 15) & ~15)];
            for (int i = 0; i < batch.Length; i += 16, block++)
            {
                BinaryPrimitives.WriteUInt64BigEndian(batch[i..], counterTop);
                BinaryPrimitives.WriteUInt64BigEndian(batch[(i + 8)..], block);
            }
            _aes.EncryptEcb(batch, batch, PaddingMode.None);
            for (int i = 0; i < length; i++) destination[done + i] = (byte)(source[done + i] ^ batch[i]);
        }
        CryptographicOperations.ZeroMemory(pad);
    }

    /// <summary>Wipes the key.</summary>
    public void Dispose() => _aes.Dispose();
}
