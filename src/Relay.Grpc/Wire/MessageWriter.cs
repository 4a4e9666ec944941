using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using Grpc.Core;
using Grpc.Net.Compression;

namespace Grpc.Wire;

/// <summary>
/// Writes Length-Prefixed-Messages. A message whose length the marshaller tells beforehand goes straight into the
/// output; any other, and one that is compressed, by way of a pooled buffer.
/// </summary>
/// <param name="maxMessageSize">Bytes of a message before compression; null for no limit.</param>
internal sealed class MessageWriter(int? maxMessageSize) : SerializationContext
{
    private IBufferWriter<byte>? _output;
    private PooledBuffer? _buffer;
    private bool _compressing;
    private int? _length;
    private bool _completed;

    /// <summary>What messages are compressed with; null for identity.</summary>
    public ICompressionProvider? Compression { get; set; }

    /// <summary>The level of compression; null for the provider's own.</summary>
    public CompressionLevel? CompressionLevel { get; set; }

    /// <summary>Whether part of a message may stand in the output without its rest: it can only be given up.</summary>
    public bool IsTorn { get; private set; }

    /// <summary>Serialises one message into <paramref name="output"/>, without a flush.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: the message is over the limit; nothing was written.</exception>
    public void Write<T>(IBufferWriter<byte> output, T message, Action<T, SerializationContext> serializer, WriteOptions? options)
    {
        ArgumentNullException.ThrowIfNull(message);
        _output = output;
        _compressing = Compression is not null && (options is null || (options.Flags & WriteFlags.NoCompress) == 0);
        _length = null;
        _completed = false;
        try
        {
            serializer(message, this);
            if (!_completed)
                throw new InvalidOperationException("The serializer did not complete the context.");
            IsTorn = false;
        }
        finally
        {
            _buffer?.Dispose();
            _buffer = null;
            _output = null;
        }
    }

    public override void SetPayloadLength(int payloadLength)
    {
        CheckSize(payloadLength);
        _length = payloadLength;
    }

    public override IBufferWriter<byte> GetBufferWriter()
    {
        if (_buffer is not null)
            return _buffer;
        if (_length is not int length || _compressing)
            return _buffer = new PooledBuffer();
        IsTorn = true;
        WriteHeader(compressed: false, length);
        return _output!;
    }

    public override void Complete()
    {
        if (_buffer is not null)
            WritePayload(_buffer.WrittenMemory);
        _completed = true;
    }

    public override void Complete(byte[] payload)
    {
        WritePayload(payload);
        _completed = true;
    }

    private void WritePayload(ReadOnlyMemory<byte> payload)
    {
        CheckSize(payload.Length);
        if (!_compressing)
        {
            WriteHeader(compressed: false, payload.Length);
            _output!.Write(payload.Span);
            return;
        }
        using var compressed = new PooledBuffer();
        using (Stream stream = Compression!.CreateCompressionStream(new BufferWriterStream(compressed), CompressionLevel))
            stream.Write(payload.Span);
        WriteHeader(compressed: true, compressed.WrittenCount);
        _output!.Write(compressed.WrittenMemory.Span);
    }

    private void WriteHeader(bool compressed, int length)
    {
        Span<byte> header = _output!.GetSpan(GrpcProtocol.FrameHeaderSize);
        header[0] = compressed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32BigEndian(header[1..], length);
        _output.Advance(GrpcProtocol.FrameHeaderSize);
    }

    private void CheckSize(int size)
    {
        if (size > maxMessageSize)
            throw new RpcException(new Status(StatusCode.ResourceExhausted, "Sending message exceeds the maximum configured message size."));
    }
}
