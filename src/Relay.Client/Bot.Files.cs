using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Google.Protobuf;
using Relay.V1;

namespace Relay.Client;

// Files to and from peers, which the server encrypts under OTR's extra symmetric key.
public sealed partial class Bot
{
    /// <summary>The server's portions.</summary>
    private const int PortionBytes = 64 << 10;

    /// <summary>The reason of a download from beyond the end of the file.</summary>
    private const string BeyondEnd = "CURSOR_BEYOND_END";

    /// <summary>
    /// Sends a file in a conversation: uploads it and offers it to the peer, which needs a private session. Called again with the same
    /// request id and content, it goes on where it was interrupted.
    /// </summary>
    /// <param name="content">Seekable, and read from its beginning; at most 64 MiB.</param>
    /// <param name="fileName">Without directories.</param>
    /// <param name="mediaType"><c>image/png</c>, or empty.</param>
    /// <param name="requestId">Idempotency key: calls with the same id send one file. Null: a new one.</param>
    /// <returns>The file; a refusal is a value, see <see cref="Outcome{T}"/>.</returns>
    /// <exception cref="RelayException">The cause is the key, the request or the server, not the conversation.</exception>
    public Task<Outcome<FileTransfer>> SendFileAsync(string conversation, Stream content, string fileName, string mediaType = "",
        string? requestId = null, CancellationToken cancellation = default) =>
        SendFileAsync(new CreateFileRequest { Parent = conversation }, content, fileName, mediaType, requestId, cancellation);

    /// <summary>
    /// As <see cref="SendFileAsync(string, Stream, string, string, string?, CancellationToken)"/>, to a peer by its address.
    /// </summary>
    /// <returns>The file; a refusal is a value, see <see cref="Outcome{T}"/>.</returns>
    /// <exception cref="RelayException">The cause is the key, the request or the server, not the conversation.</exception>
    public Task<Outcome<FileTransfer>> SendFileToAsync(string endpoint, string peer, Stream content, string fileName, string mediaType = "",
        string? requestId = null, CancellationToken cancellation = default) =>
        SendFileAsync(new CreateFileRequest { Parent = RelayClient.EndpointName(endpoint), Peer = peer }, content, fileName, mediaType,
            requestId, cancellation);

    private Task<Outcome<FileTransfer>> SendFileAsync(CreateFileRequest create, Stream content, string fileName, string mediaType,
        string? requestId, CancellationToken cancellation)
    {
        if (!content.CanSeek) throw new ArgumentException("A file's content must be seekable, so that its size is known.", nameof(content));
        (create.RequestId, create.FileName, create.MediaType, create.Size) = (requestId ?? NewId(), fileName, mediaType, content.Length);
        return Outcome<FileTransfer>.OfAsync(async () =>
        {
            var file = await _client.CallAsync(o => _client.Files.CreateFileAsync(create, o), cancellation);
            var digest = await UploadAsync(file, content, cancellation);
            var complete = new CompleteFileRequest { Name = file.Name, RequestId = NewId(), Sha256 = ByteString.CopyFrom(digest) };
            return await _client.CallAsync(o => _client.Files.CompleteFileAsync(complete, o), cancellation);
        });
    }

    /// <summary>Uploads what the server does not have.</summary>
    /// <returns>The SHA-256 of the whole content.</returns>
    private async Task<byte[]> UploadAsync(FileTransfer file, Stream content, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var portion = new byte[PortionBytes];
        content.Position = 0;
        for (long offset = 0; ;)
        {
            int length = await content.ReadAtLeastAsync(portion, portion.Length, throwOnEndOfStream: false, cancellation);
            if (length == 0) return hash.GetHashAndReset();
            hash.AppendData(portion, 0, length);
            if (offset >= file.StoredSize)
            {
                var upload = new UploadFileRequest { Name = file.Name, Offset = offset, Data = ByteString.CopyFrom(portion, 0, length) };
                await _client.CallAsync(o => _client.Files.UploadFileAsync(upload, o), cancellation);
            }
            offset += length;
        }
    }

    /// <summary>Downloads a file that was received, and compares its digest.</summary>
    /// <param name="file">From <see cref="FileEvent.File"/>.</param>
    /// <param name="destination">
    /// Seekable to go on with a download that was interrupted: what it has is kept. Otherwise the file is written from its beginning.
    /// </param>
    /// <exception cref="RelayException">The file is not received, is not there any more, or the server does not answer.</exception>
    /// <exception cref="InvalidDataException">What was written is not the file.</exception>
    public async Task DownloadFileAsync(FileTransfer file, Stream destination, CancellationToken cancellation = default)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long offset = destination.CanSeek && destination.CanRead ? await HashAsync(destination, hash, cancellation) : 0;
        while (true)
        {
            var request = new DownloadFileRequest { Name = file.Name, Offset = offset };
            DownloadFileResponse read;
            try
            {
                read = await _client.CallAsync(o => _client.Files.DownloadFileAsync(request, o), cancellation);
            }
            catch (RelayException e) when (e.Reason == BeyondEnd)
            {
                // What the destination has is longer than the file.
                break;
            }
            if (read.Data.IsEmpty) break;
            hash.AppendData(read.Data.Span);
            await destination.WriteAsync(read.Data.Memory, cancellation);
            offset += read.Data.Length;
        }
        if (!hash.GetHashAndReset().AsSpan().SequenceEqual(file.Sha256.Span))
            throw new InvalidDataException("What was downloaded has another digest than the file; delete it and download it again.");
    }

    /// <summary>Gets a file by its name.</summary>
    /// <exception cref="RelayException">There is no such file any more, or the server does not answer.</exception>
    public Task<FileTransfer> GetFileAsync(string file, CancellationToken cancellation = default) =>
        _client.CallAsync(o => _client.Files.GetFileAsync(new GetFileRequest { Name = file }, o), cancellation);

    /// <summary>Lists an endpoint's files, the sent and the received, page after page.</summary>
    /// <exception cref="RelayException">The cause is the key, the request or the server.</exception>
    public async IAsyncEnumerable<FileTransfer> FilesAsync(
        string endpoint, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var request = new ListFilesRequest { Parent = RelayClient.EndpointName(endpoint) };
        do
        {
            var page = await _client.CallAsync(o => _client.Files.ListFilesAsync(request, o), cancellation);
            foreach (var file in page.Files) yield return file;
            request = new ListFilesRequest { Parent = request.Parent, PageToken = page.NextPageToken };
        }
        while (request.PageToken.Length > 0);
    }

    /// <summary>Deletes a file and its keys; also one that is not there any more.</summary>
    /// <exception cref="RelayException">The cause is the key, the request or the server.</exception>
    public Task DeleteFileAsync(string file, CancellationToken cancellation = default) =>
        _client.CallAsync(o => _client.Files.DeleteFileAsync(new DeleteFileRequest { Name = file }, o), cancellation);

    private static async Task<long> HashAsync(Stream content, IncrementalHash hash, CancellationToken cancellation)
    {
        var buffer = new byte[PortionBytes];
        content.Position = 0;
        while (await content.ReadAsync(buffer, cancellation) is > 0 and var length) hash.AppendData(buffer, 0, length);
        return content.Position;
    }
}
