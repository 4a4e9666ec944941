using System.Security.Cryptography;
using System.Text;
using Otr.Core;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Files;

/// <summary>
/// Files between bots, bridges and the store. A portion is encrypted once, as it arrives, and never under its number again: what is stored
/// stays, and a repeated portion is compared with it. Any number of processes may do so at once: the store decides which one is first.
/// </summary>
internal sealed partial class FileTransfers(
    IRelay relay, IRelayStore store, BoundedReads reads, Sealer sealer, KeyedIds ids, IRandomSource random, TimeProvider time,
    RelayTelemetry telemetry, FileSettings settings, Action deleted) : IFiles
{
    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    public async ValueTask<FileReply> CreateAsync(CreateFile create, CancellationToken cancellation)
    {
        if (!FileNames.IsName(create.Name) || !FileNames.IsMediaType(create.MediaType) || create.Size < 0 || create.Size > settings.MaxFileBytes)
            throw new ArgumentException("The caller must check a file's name, type and size.", nameof(create));
        RelayLimits.CheckRequestId(create.RequestId);
        if (await relay.Endpoints.FindActiveAsync(create.EndpointId, cancellation).ConfigureAwait(false) is null)
            return FileReply.NoEndpoint.Instance;
        var id = KeyedIds.Base32(ids.Of("file/out", Encoding.UTF8.GetBytes(create.EndpointId), Encoding.UTF8.GetBytes(create.RequestId)));
        var record = new FileRecord(FileState.Uploading, create.Peer, RandomId(), create.Name, create.MediaType, create.Size, default, "",
            Random(FileCipher.KeySize), default, NowMs);
        long expires = NowMs + (long)settings.Life.TotalMilliseconds;
        var row = record.Seal(sealer, create.EndpointId, id, create.ConversationId, 1, expires, create.Size);
        switch (await store.SaveFileAsync(row, cancellation).ConfigureAwait(false))
        {
            case SaveFileResult.Saved:
                return new FileReply.Done(record.View(create.EndpointId, id, create.ConversationId, 0, expires));
            case SaveFileResult.Full:
                return FileReply.Full.Instance;
            case SaveFileResult.NoEndpoint:
                return FileReply.NoEndpoint.Instance;
        }
        // The request was seen: it is the same if it describes the same file.
        var reply = await GetAsync(create.EndpointId, id, cancellation).ConfigureAwait(false);
        return reply is FileReply.Done { File: var file } && (file.ConversationId, file.Name, file.MediaType, file.Size)
            != (create.ConversationId, create.Name, create.MediaType, create.Size) ? FileReply.RequestIdReused.Instance : reply;
    }

    public async ValueTask<FileReply> GetAsync(string endpointId, string fileId, CancellationToken cancellation)
    {
        var (file, refusal) = await LoadAsync(endpointId, fileId, cancellation).ConfigureAwait(false);
        return refusal ?? new FileReply.Done(file!.View);
    }

    public async ValueTask<FilePage> ListAsync(string endpointId, string? afterId, int max, CancellationToken cancellation)
    {
        max = Math.Clamp(max, 1, RelayLimits.MaxItemsPerRead);
        var stored = await reads.ReadAsync(c => store.ListFilesAsync(endpointId, afterId, max, c), cancellation).ConfigureAwait(false);
        var files = stored.Select(Open).OfType<OpenFile>().Where(f => f.Row.ExpiresMs > NowMs).Select(f => f.View);
        return new FilePage([.. files], stored.Count < max ? null : stored[^1].Row.Id);
    }

    public async ValueTask<FileReply> WriteAsync(
        string endpointId, string fileId, long offset, ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        var (file, refusal) = await LoadAsync(endpointId, fileId, cancellation).ConfigureAwait(false);
        if (file is null) return refusal!;
        if (file.View.IsFromPeer) return new FileReply.WrongState(file.View);
        if (offset < 0 || offset % FileCipher.PortionSize != 0 || offset > file.View.Stored) return new FileReply.WrongPlace(file.View);
        uint number = (uint)(offset / FileCipher.PortionSize);
        if (number >= FileCipher.Portions(file.Record.Size) || data.Length != FileCipher.PortionLength(file.Record.Size, number))
            return new FileReply.WrongPlace(file.View);
        if (number == file.Portions)
        {
            var portion = FileCipher.Seal(file.Record.Key.Span, file.Record.Size, number, data.Span);
            if (await AppendAsync(file, number, portion, cancellation).ConfigureAwait(false))
                return new FileReply.Done(file.WithPortions(number + 1).View);
            // Another caller was first, or the file was deleted.
            (file, refusal) = await LoadAsync(endpointId, fileId, cancellation).ConfigureAwait(false);
            if (file is null) return refusal!;
        }
        if (await OpenPortionAsync(file, number, cancellation).ConfigureAwait(false) is not { } stored)
            return FileReply.Unreadable.Instance;
        bool isSame = CryptographicOperations.FixedTimeEquals(stored, data.Span);
        CryptographicOperations.ZeroMemory(stored);
        return isSame ? new FileReply.Done(file.View) : new FileReply.Different(file.View);
    }

    public async ValueTask<FileReply> CompleteAsync(
        string endpointId, string fileId, string requestId, ReadOnlyMemory<byte>? sha256, CancellationToken cancellation)
    {
        var (file, refusal) = await LoadAsync(endpointId, fileId, cancellation).ConfigureAwait(false);
        if (file is null) return refusal!;
        if (file.View.IsFromPeer) return new FileReply.WrongState(file.View);
        if (file.Record.State == FileState.Uploading && file.Portions < FileCipher.Portions(file.Record.Size))
        {
            // An empty file has one portion, without data.
            if (file.Record.Size > 0) return new FileReply.WrongPlace(file.View);
            await AppendAsync(file, 0, FileCipher.Seal(file.Record.Key.Span, 0, 0, default), cancellation).ConfigureAwait(false);
        }
        var digest = file.Record.Sha256;
        if (digest.IsEmpty)
        {
            if (await DigestAsync(file, cancellation).ConfigureAwait(false) is not { } computed) return FileReply.Unreadable.Instance;
            digest = computed;
        }
        if (sha256 is { } expected && !expected.Span.SequenceEqual(digest.Span)) return new FileReply.DigestDiffers(file.View);
        if (file.Record.State == FileState.Sent) return new FileReply.Done(file.View);
        var record = file.Record with { Sha256 = digest, Reason = "", Url = Link(endpointId, fileId) ?? "" };
        var offered = new Command.OfferFile(requestId, fileId, record, file.Row.Revision, file.Row.ExpiresMs);
        var reply = await relay.AskAsync(new ConversationAddress.ById(endpointId, file.Row.ConversationId), offered, cancellation)
            .ConfigureAwait(false);
        return reply is ConversationReply.Done
            ? await GetAsync(endpointId, fileId, cancellation).ConfigureAwait(false) : new FileReply.NotOffered(file.View, reply);
    }

    public async ValueTask<FileReply> ReadAsync(string endpointId, string fileId, long offset, int max, CancellationToken cancellation)
    {
        var (file, refusal) = await LoadAsync(endpointId, fileId, cancellation).ConfigureAwait(false);
        if (file is null) return refusal!;
        if (file.Record.State is FileState.Offered or FileState.Damaged) return new FileReply.WrongState(file.View);
        if (offset < 0 || offset > file.View.Stored) return new FileReply.WrongPlace(file.View);
        uint number = (uint)(offset / FileCipher.PortionSize);
        int skipped = (int)(offset % FileCipher.PortionSize);
        using var data = new MemoryStream();
        while (data.Length < max && number < file.Portions)
        {
            if (await OpenPortionAsync(file, number++, cancellation).ConfigureAwait(false) is not { } clear)
                return FileReply.Unreadable.Instance;
            int count = (int)Math.Min(clear.Length - skipped, max - data.Length);
            data.Write(clear, skipped, count);
            CryptographicOperations.ZeroMemory(clear);
            skipped = 0;
        }
        return new FileReply.Read(file.View, data.ToArray());
    }

    public string? Link(string endpointId, string fileId)
        => settings.PublicUrl is { } url ? $"{url}{FileLimits.LinkPath}{FileLink.Token(ids, endpointId, fileId)}" : null;

    public (string EndpointId, string FileId)? TryOpenLink(string token) => FileLink.TryOpen(ids, token);

    public async ValueTask DeleteAsync(string endpointId, string fileId, CancellationToken cancellation)
    {
        if (!KeyedIds.IsId(fileId)) return;
        await store.DeleteFileAsync(endpointId, fileId, cancellation).ConfigureAwait(false);
        deleted();
    }

    private async ValueTask<bool> AppendAsync(OpenFile file, uint number, byte[] portion, CancellationToken cancellation)
        => await store.AppendPortionAsync(file.Row.EndpointId, file.Row.Id, number,
            sealer.Seal(SealedTable.FilePortion, file.PortionKey(number), portion), cancellation).ConfigureAwait(false);

    /// <returns>Null if it does not open.</returns>
    private async ValueTask<byte[]?> OpenPortionAsync(OpenFile file, uint number, CancellationToken cancellation)
        => await SealedPortionAsync(file, number, cancellation).ConfigureAwait(false) is { } portion
            ? FileCipher.TryOpen(file.Record.Key.Span, file.Record.Size, number, portion) : null;

    /// <returns>The blob's portion; null if it is not there, or its row does not open.</returns>
    private async ValueTask<byte[]?> SealedPortionAsync(OpenFile file, uint number, CancellationToken cancellation)
    {
        var stored = await reads.ReadAsync(c => store.ReadPortionsAsync(file.Row.EndpointId, file.Row.Id, number, 1, c), cancellation)
            .ConfigureAwait(false);
        if (stored.Count > 0 && sealer.TryOpen(SealedTable.FilePortion, file.PortionKey(number), stored[0]) is { } portion) return portion;
        telemetry.DidNotOpen(SealedThing.File);
        return null;
    }

    /// <returns>The SHA-256 of the plaintext; null if a portion does not open.</returns>
    private async ValueTask<byte[]?> DigestAsync(OpenFile file, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (uint number = 0; number < FileCipher.Portions(file.Record.Size); number++)
        {
            if (await OpenPortionAsync(file, number, cancellation).ConfigureAwait(false) is not { } clear) return null;
            hash.AppendData(clear);
            CryptographicOperations.ZeroMemory(clear);
        }
        return hash.GetHashAndReset();
    }

    private async ValueTask<(OpenFile? File, FileReply? Refusal)> LoadAsync(
        string endpointId, string fileId, CancellationToken cancellation)
    {
        if (!KeyedIds.IsId(fileId)) return (null, FileReply.NotFound.Instance);
        var stored = await reads.ReadAsync(c => store.LoadFileAsync(endpointId, fileId, c), cancellation).ConfigureAwait(false);
        if (stored is null || stored.Row.ExpiresMs <= NowMs) return (null, FileReply.NotFound.Instance);
        return Open(stored) is { } file ? (file, null) : (null, FileReply.Unreadable.Instance);
    }

    private OpenFile? Open(StoredFile stored)
    {
        if (FileRecord.TryOpen(sealer, stored.Row) is { } record) return new OpenFile(stored.Row, record, stored.Portions);
        telemetry.DidNotOpen(SealedThing.File);
        return null;
    }

    private byte[] Random(int size)
    {
        var bytes = new byte[size];
        random.Fill(bytes);
        return bytes;
    }

    private UInt128 RandomId() => System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(Random(FileOffer.TransferIdSize));

    /// <summary>A file with its row opened.</summary>
    private sealed record OpenFile(FileRow Row, FileRecord Record, uint Portions)
    {
        public FileView View => Record.View(Row.EndpointId, Row.Id, Row.ConversationId, Portions, Row.ExpiresMs);

        public OpenFile WithPortions(uint portions) => this with { Portions = portions };

        public RowKey PortionKey(uint number) => new(Row.EndpointId, Row.Id, number);
    }
}
