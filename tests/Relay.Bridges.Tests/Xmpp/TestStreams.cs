using System.Text;
using System.Threading.Channels;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>A stream that is read only.</summary>
internal abstract class ReadStream : Stream
{
    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public override void Flush() { }
    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

/// <summary>Gives a beginning, and then the same piece for ever.</summary>
internal sealed class EndlessStream(string begin, string piece) : ReadStream
{
    private readonly byte[] _begin = Encoding.UTF8.GetBytes(begin), _piece = Encoding.UTF8.GetBytes(piece);

    public long Given { get; private set; }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        for (int i = 0; i < buffer.Length; i++, Given++)
            buffer.Span[i] = Given < _begin.Length ? _begin[Given] : _piece[(Given - _begin.Length) % _piece.Length];
        return ValueTask.FromResult(buffer.Length);
    }
}

/// <summary>Gives what it is fed, when it is fed.</summary>
internal sealed class PipeStream : ReadStream
{
    private readonly Channel<byte[]> _pieces = Channel.CreateUnbounded<byte[]>();

    public void Feed(string text) => _pieces.Writer.TryWrite(Encoding.UTF8.GetBytes(text));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var piece = await _pieces.Reader.ReadAsync(cancellationToken);
        piece.CopyTo(buffer);
        return piece.Length;
    }
}
