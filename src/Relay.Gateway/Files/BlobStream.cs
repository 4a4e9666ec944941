using Relay.Actors;
using Relay.Actors.Files;
using Relay.Gateway.Hosting;
using Relay.Storage;

namespace Relay.Gateway.Files;

/// <summary>
/// The blob of a file as a stream to read, at any place. Each portion is read when it is due, so that a file that is deleted or expires
/// meanwhile ends there.
/// </summary>
internal sealed class BlobStream(IFiles files, FileView file) : Stream
{
    private ReadOnlyMemory<byte> _read;
    private long _readAt;

    public override bool CanRead => true;
    public override bool CanSeek => true;
    public override bool CanWrite => false;
    public override long Length => file.BlobSize;
    public override long Position { get; set; }

    /// <exception cref="IOException">The file is gone, or its rows do not open.</exception>
    /// <exception cref="StoreException">The store fails.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Position < 0 || Position >= Length || buffer.IsEmpty) return 0;
        if (Position < _readAt || Position >= _readAt + _read.Length)
        {
            var reply = await files.ReadBlobAsync(file.EndpointId, file.Id, Position, GatewayLimits.MaxFileReadBytes, cancellationToken);
            if (reply is not FileReply.Read { Data: { IsEmpty: false } data }) throw new IOException("The file is not there any more.");
            (_read, _readAt) = (data, Position);
        }
        var rest = _read[(int)(Position - _readAt)..];
        int count = Math.Min(rest.Length, buffer.Length);
        rest[..count].CopyTo(buffer);
        Position += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Current => Position + offset,
        SeekOrigin.End => Length + offset,
        _ => offset,
    };

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Synchronous I/O is not used.");
    public override void Flush() { }
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
