using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Grpc.Core;
using Grpc.Net.Compression;

namespace Grpc.Wire;

/// <summary>
/// Reads Length-Prefixed-Messages from a pipe and deserialises each in place. Whatever the peer gets wrong is an
/// <see cref="RpcException"/> with the status that the call is to end with.
/// </summary>
/// <param name="input">The body; one read at a time.</param>
/// <param name="maxMessageSize">Bytes of a message, also once decompressed; null for no limit.</param>
/// <param name="compression">What <c>grpc-encoding</c> names; null for identity.</param>
internal sealed class MessageReader<T>(PipeReader input, Func<DeserializationContext, T> deserializer, int? maxMessageSize, ICompressionProvider? compression)
    where T : class
{
    private readonly PayloadContext _context = new();

    /// <summary>The next message, or null at the end of the body.</summary>
    public async ValueTask<T?> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadResult result = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (result.IsCanceled)
            {
                input.AdvanceTo(result.Buffer.Start);
                throw new OperationCanceledException();
            }
            ReadOnlySequence<byte> buffer = result.Buffer;
            bool found;
            bool compressed;
            ReadOnlySequence<byte> payload;
            try
            {
                found = TryReadFrame(ref buffer, out compressed, out payload);
            }
            catch (RpcException)
            {
                // Nothing is consumed: whoever reads on meets the same fault.
                input.AdvanceTo(result.Buffer.Start);
                throw;
            }
            if (found)
            {
                try
                {
                    return Deserialize(payload, compressed);
                }
                finally
                {
                    input.AdvanceTo(buffer.Start);
                }
            }
            if (result.IsCompleted)
            {
                bool clean = buffer.IsEmpty;
                input.AdvanceTo(buffer.End);
                return clean ? null : throw new RpcException(new Status(StatusCode.Internal, "Incomplete message."));
            }
            input.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    /// <summary>Reads the end of the body after the last message that there may be.</summary>
    public async ValueTask ReadEndAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadResult result = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (result.IsCanceled)
                throw new OperationCanceledException();
            bool empty = result.Buffer.IsEmpty;
            input.AdvanceTo(result.Buffer.End);
            if (!empty)
                throw new RpcException(new Status(StatusCode.Internal, "Additional data after the message received."));
            if (result.IsCompleted)
                return;
        }
    }

    private bool TryReadFrame(ref ReadOnlySequence<byte> buffer, out bool compressed, out ReadOnlySequence<byte> payload)
    {
        compressed = false;
        payload = default;
        if (buffer.Length < GrpcProtocol.FrameHeaderSize)
            return false;
        Span<byte> header = stackalloc byte[GrpcProtocol.FrameHeaderSize];
        buffer.Slice(0, GrpcProtocol.FrameHeaderSize).CopyTo(header);
        compressed = header[0] switch
        {
            0 => false,
            1 when compression is not null => true,
            1 => throw new RpcException(new Status(StatusCode.Internal, "The message is compressed, but no grpc-encoding says how.")),
            _ => throw new RpcException(new Status(StatusCode.Internal, "Unexpected compressed flag in message header.")),
        };
        uint length = BinaryPrimitives.ReadUInt32BigEndian(header[1..]);
        if (length > (uint)(maxMessageSize ?? int.MaxValue))
            throw TooLarge();
        if (buffer.Length - GrpcProtocol.FrameHeaderSize < length)
            return false;
        payload = buffer.Slice(GrpcProtocol.FrameHeaderSize, length);
        buffer = buffer.Slice(payload.End);
        return true;
    }

    private T Deserialize(ReadOnlySequence<byte> payload, bool compressed)
    {
        if (!compressed)
            return Deserialize(payload);
        using var decompressed = new PooledBuffer();
        Decompress(payload, decompressed);
        return Deserialize(decompressed.Written);
    }

    private T Deserialize(ReadOnlySequence<byte> payload)
    {
        _context.Set(payload);
        try
        {
            return deserializer(_context);
        }
        catch (Exception exception) when (exception is not RpcException)
        {
            throw new RpcException(new Status(StatusCode.Internal, "The message could not be deserialised.", exception));
        }
        finally
        {
            _context.Set(default);
        }
    }

    private void Decompress(ReadOnlySequence<byte> payload, PooledBuffer output)
    {
        int limit = maxMessageSize ?? int.MaxValue;
        try
        {
            using var source = new SequenceStream(payload);
            using Stream stream = compression!.CreateDecompressionStream(source);
            int read;
            while ((read = stream.Read(output.GetSpan())) > 0)
            {
                output.Advance(read);
                if (output.WrittenCount > limit)
                    throw TooLarge();
            }
        }
        catch (InvalidDataException exception)
        {
            throw new RpcException(new Status(StatusCode.Internal, "The compressed message is damaged.", exception));
        }
    }

    private static RpcException TooLarge() =>
        new(new Status(StatusCode.ResourceExhausted, "Received message exceeds the maximum configured message size."));
}
