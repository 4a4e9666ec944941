namespace Grpc.Core;

/// <summary>How to write one message.</summary>
[Flags]
public enum WriteFlags
{
    /// <summary>The message may wait in a buffer and need not be sent at once.</summary>
    BufferHint = 0x1,
    /// <summary>The message is not compressed even where the call is.</summary>
    NoCompress = 0x2,
}

/// <summary>Options of a write.</summary>
public class WriteOptions
{
    /// <summary>No flags.</summary>
    public static readonly WriteOptions Default = new();

    /// <summary>Options with <paramref name="flags"/>.</summary>
    public WriteOptions(WriteFlags flags = default) => Flags = flags;

    /// <summary>The flags.</summary>
    public WriteFlags Flags { get; }
}
