using Google.Protobuf;
using Relay.V1;

namespace Relay.Client;

// The blobs of files: ciphertext that a bridge brings by its network's means.
public sealed partial class Bridge
{
    /// <summary>Where a blob's transfer id is.</summary>
    private const int TransferIdAt = 5, TransferIdBytes = 16;

    /// <summary>Reads the blob of a file that was offered to a peer.</summary>
    /// <param name="file">From <c>OutboundWire.file</c>.</param>
    /// <param name="offset">Where it goes on.</param>
    /// <exception cref="RelayException">There is no such file any more, or the server does not answer.</exception>
    public async Task DownloadBlobAsync(string file, Stream destination, long offset = 0, CancellationToken cancellation = default)
    {
        while (true)
        {
            var request = new DownloadBlobRequest { Name = file, Offset = offset };
            var read = await _client.CallAsync(o => _client.Files.DownloadBlobAsync(request, o), cancellation);
            if (read.Data.IsEmpty) return;
            await destination.WriteAsync(read.Data.Memory, cancellation);
            offset += read.Data.Length;
        }
    }

    /// <summary>
    /// Gives Relay the blob of a file that a peer has offered. It goes on where an earlier call was interrupted. If the offer has not come
    /// yet, it fails with <c>FILE_NOT_FOUND</c>: deliver the peer's wire text first, and repeat the call.
    /// </summary>
    /// <param name="blob">Seekable.</param>
    /// <param name="endpoint">The endpoint that the peer sent it to; null if the bridge carries only one.</param>
    /// <returns>False if it is not a whole blob.</returns>
    /// <exception cref="RelayException">The blob is not the one that was offered, or the server does not answer.</exception>
    public async Task<bool> UploadBlobAsync(string peer, Stream blob, string? endpoint = null, CancellationToken cancellation = default)
    {
        var start = new byte[TransferIdAt + TransferIdBytes];
        blob.Position = 0;
        if (await blob.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancellation) < start.Length) return false;
        var request = new UploadBlobRequest
        {
            Endpoint = endpoint ?? _endpoints.Single(), Peer = peer,
            TransferId = ByteString.CopyFrom(start, TransferIdAt, TransferIdBytes),
        };
        while (true)
        {
            var stored = await _client.CallAsync(o => _client.Files.UploadBlobAsync(request, o), cancellation);
            if (stored.NextPartSize == 0) return true;
            var part = new byte[stored.NextPartSize];
            blob.Position = stored.StoredSize;
            if (await blob.ReadAtLeastAsync(part, part.Length, throwOnEndOfStream: false, cancellation) < part.Length) return false;
            request = request.Clone();
            (request.Offset, request.Data) = (stored.StoredSize, ByteString.CopyFrom(part));
        }
    }
}
