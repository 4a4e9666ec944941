using System.Buffers;

namespace Grpc.Core;

/// <summary>Where a marshaller finds the bytes of one message; only good during the call of the deserialiser.</summary>
public abstract class DeserializationContext
{
    /// <summary>Bytes in the payload.</summary>
    public abstract int PayloadLength { get; }

    /// <summary>The payload as an array that the caller may keep.</summary>
    public virtual byte[] PayloadAsNewBuffer() => throw new NotSupportedException();

    /// <summary>The payload in place.</summary>
    public virtual ReadOnlySequence<byte> PayloadAsReadOnlySequence() => throw new NotSupportedException();
}
