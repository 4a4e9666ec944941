using System.Security.Cryptography;
using Relay.Storage;

namespace Relay.Actors.Files;

// The side of the bridges: blobs. Nothing that does not authenticate is stored.
internal sealed partial class FileTransfers
{
    public string IncomingId(string endpointId, string peer, UInt128 transferId)
        => FileRecord.IncomingId(ids, endpointId, relay.ConversationId(endpointId, peer), transferId);

    public async ValueTask<FileReply> ReadBlobAsync(string endpointId, string fileId, long offset, int max, CancellationToken cancellation)
    {
        var (file, refusal) = await LoadAsync(endpointId, fileId, cancellation).ConfigureAwait(false);
        if (file is null) return refusal!;
        if (file.Record.State != FileState.Sent) return new FileReply.WrongState(file.View);
        if (offset < 0 || offset > file.View.BlobSize) return new FileReply.WrongPlace(file.View);
        using var data = new MemoryStream();
        while (data.Length < max && offset < file.View.BlobSize)
        {
            var (part, start) = await BlobPartAsync(file, offset, cancellation).ConfigureAwait(false);
            if (part is null) return FileReply.Unreadable.Instance;
            int skipped = (int)(offset - start), count = (int)Math.Min(part.Value.Length - skipped, max - data.Length);
            data.Write(part.Value.Span.Slice(skipped, count));
            offset += count;
        }
        return new FileReply.Read(file.View, data.ToArray());
    }

    public async ValueTask<FileReply> RefuseAsync(string endpointId, string fileId, string reason, CancellationToken cancellation)
    {
        var (file, refusal) = await LoadAsync(endpointId, fileId, cancellation).ConfigureAwait(false);
        if (file is null) return refusal!;
        if (file.Record.State != FileState.Sent) return new FileReply.WrongState(file.View);
        // A file that is offered again after that is told of again, by its revision.
        return await ReportAsync(file, file.Record with { State = FileState.Undeliverable, Reason = reason },
            string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{fileId}-{file.Row.Revision}"), cancellation)
            .ConfigureAwait(false);
    }

    public async ValueTask<FileReply> WriteBlobAsync(
        string endpointId, string fileId, long offset, ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        var (file, refusal) = await LoadAsync(endpointId, fileId, cancellation).ConfigureAwait(false);
        if (file is null) return refusal!;
        if (!file.View.IsFromPeer) return new FileReply.WrongState(file.View);
        if (data.IsEmpty) return await FinishAsync(file, cancellation).ConfigureAwait(false);
        if (offset < 0 || offset > file.View.BlobStored) return new FileReply.WrongPlace(file.View);
        if (offset < file.View.BlobStored)
        {
            var (part, start) = await BlobPartAsync(file, offset, cancellation).ConfigureAwait(false);
            if (part is null) return FileReply.Unreadable.Instance;
            if (start != offset || part.Value.Length != data.Length) return new FileReply.WrongPlace(file.View);
            return part.Value.Span.SequenceEqual(data.Span)
                ? await FinishAsync(file, cancellation).ConfigureAwait(false) : new FileReply.Different(file.View);
        }
        if (data.Length != file.View.NextBlobPart) return new FileReply.WrongPlace(file.View);
        return file.Record.Header.IsEmpty
            ? await WriteHeaderAsync(file, data, cancellation).ConfigureAwait(false)
            : await WritePortionAsync(file, data, cancellation).ConfigureAwait(false);
    }

    /// <summary>The wrap key ends here: the file's key takes its place, and the bytes of the file begin to count.</summary>
    private async ValueTask<FileReply> WriteHeaderAsync(OpenFile file, ReadOnlyMemory<byte> header, CancellationToken cancellation)
    {
        if (FileCipher.TryUnwrap(file.Record.Key.Span, file.Record.TransferId, header.Span) is not { } key)
            return new FileReply.NotAuthentic(file.View);
        var record = file.Record with { Key = key, Header = header.ToArray() };
        return await ReplaceAsync(file, record, cancellation).ConfigureAwait(false) switch
        {
            SaveFileResult.Saved => new FileReply.Done((file with { Record = record }).View),
            SaveFileResult.Full => FileReply.Full.Instance,
            // Another caller was first, or the file was deleted.
            _ => await GetAsync(file.Row.EndpointId, file.Row.Id, cancellation).ConfigureAwait(false),
        };
    }

    private async ValueTask<FileReply> WritePortionAsync(OpenFile file, ReadOnlyMemory<byte> portion, CancellationToken cancellation)
    {
        if (FileCipher.TryOpen(file.Record.Key.Span, file.Record.Size, file.Portions, portion.Span) is not { } clear)
            return new FileReply.NotAuthentic(file.View);
        CryptographicOperations.ZeroMemory(clear);
        if (!await AppendAsync(file, file.Portions, portion.ToArray(), cancellation).ConfigureAwait(false))
            return await GetAsync(file.Row.EndpointId, file.Row.Id, cancellation).ConfigureAwait(false);
        return await FinishAsync(file.WithPortions(file.Portions + 1), cancellation).ConfigureAwait(false);
    }

    /// <summary>Once all portions are there, compares the digest, and reports the result.</summary>
    private async ValueTask<FileReply> FinishAsync(OpenFile file, CancellationToken cancellation)
    {
        if (file.Record.State != FileState.Offered || file.Record.Header.IsEmpty || file.Portions < FileCipher.Portions(file.Record.Size))
            return new FileReply.Done(file.View);
        bool isSame = await DigestAsync(file, cancellation).ConfigureAwait(false) is { } digest
            && digest.AsSpan().SequenceEqual(file.Record.Sha256.Span);
        var record = file.Record with { State = isSame ? FileState.Received : FileState.Damaged };
        return await ReportAsync(file, record, file.Row.Id, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Tells the bot of a file's new state and stores it, in this order: what was interrupted is done again by the next call, and the bot
    /// is told once, because of the report's id.
    /// </summary>
    private async ValueTask<FileReply> ReportAsync(OpenFile file, FileRecord record, string requestId, CancellationToken cancellation)
    {
        var finished = file with { Record = record };
        var reply = await relay.AskAsync(new ConversationAddress.ById(file.Row.EndpointId, file.Row.ConversationId),
            new Command.ReportFile(requestId, finished.View), cancellation).ConfigureAwait(false);
        // A conversation that was deleted since has nobody to tell.
        if (reply is not (ConversationReply.Done or ConversationReply.NotFound)) return new FileReply.NotOffered(file.View, reply);
        await ReplaceAsync(file, record, cancellation).ConfigureAwait(false);
        return new FileReply.Done(finished.View);
    }

    private ValueTask<SaveFileResult> ReplaceAsync(OpenFile file, FileRecord record, CancellationToken cancellation)
        => store.SaveFileAsync(record.Seal(sealer, file.Row.EndpointId, file.Row.Id, file.Row.ConversationId, file.Row.Revision + 1,
            file.Row.ExpiresMs, record.Size), cancellation);

    /// <summary>The header or portion that a place in the blob is in, and where it begins; null if it does not open.</summary>
    private async ValueTask<(ReadOnlyMemory<byte>? Part, long Start)> BlobPartAsync(
        OpenFile file, long offset, CancellationToken cancellation)
    {
        if (offset < FileCipher.HeaderSize) return (file.Record.Header, 0);
        uint number = (uint)((offset - FileCipher.HeaderSize) / FileCipher.SealedPortionSize);
        var portion = await SealedPortionAsync(file, number, cancellation).ConfigureAwait(false);
        long start = FileCipher.HeaderSize + (long)number * FileCipher.SealedPortionSize;
        return (portion is null ? (ReadOnlyMemory<byte>?)null : portion, start);
    }
}
