using Relay.Storage.Sealing;

namespace Relay.Actors.Files;

/// <summary>The form of a file's view in stream rows and between nodes.</summary>
internal static class FileViewCodec
{
    public static void Write(RowWriter row, FileView file)
    {
        row.Text(file.EndpointId);
        row.Text(file.Id);
        row.Text(file.ConversationId);
        row.Text(file.Peer);
        row.Text(file.Name);
        row.Text(file.MediaType);
        row.Int64(file.Size);
        row.Int64(file.Stored);
        row.Bytes(file.Sha256.Span);
        row.Byte((byte)file.State);
        row.Text(file.Url);
        row.Int64(file.Created.ToUnixTimeMilliseconds());
        row.Int64(file.Expires.ToUnixTimeMilliseconds());
        row.UInt128(file.TransferId);
        row.Int64(file.BlobStored);
        row.UInt32((uint)file.NextBlobPart);
        if (file.State == FileState.Undeliverable) row.Text(file.Reason);
    }

    /// <returns>Null, or the reader has failed, if it is damaged.</returns>
    public static FileView? Read(ref RowReader row)
    {
        var file = new FileView(row.Text(), row.Text(), row.Text(), row.Text(), row.Text(), row.Text(), row.Int64(), row.Int64(),
            row.Bytes().ToArray(), (FileState)row.Byte(), row.Text(), Time(row.Int64()), Time(row.Int64()))
        {
            TransferId = row.UInt128(), BlobStored = row.Int64(), NextBlobPart = (int)row.UInt32(),
        };
        if (file.State == FileState.Undeliverable) file = file with { Reason = row.Text() };
        if (!Enum.IsDefined(file.State) || file.Size is < 0 or > FileLimits.MaxFileBytes) row.Fail();
        return row.HasFailed ? null : file;
    }

    private static DateTimeOffset Time(long ms)
        => DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(ms, 0, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()));
}
