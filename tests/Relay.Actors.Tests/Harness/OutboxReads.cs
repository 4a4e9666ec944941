using Relay.Storage;

namespace Relay.Actors.Tests;

/// <summary>For tests to which the bytes of a read do not matter.</summary>
internal static class OutboxReads
{
    public static ValueTask<IReadOnlyList<(ulong Sequence, byte[] Sealed)>> ReadAsync(this IStreamStore store, StreamKey stream, ulong after, int max, CancellationToken cancellation)
        => store.ReadAsync(stream, after, max, long.MaxValue, cancellation);

    public static ValueTask<IReadOnlyList<OutboxItem>> ReadAsync(this IOutbox outbox, StreamKey stream, ulong after, int max, CancellationToken cancellation)
        => outbox.ReadAsync(stream, after, max, long.MaxValue, cancellation);
}
