using Microsoft.Extensions.Logging.Abstractions;
using Relay.Actors.Store;
using Relay.Actors.Store.Sqlite;
using Relay.Actors.Telemetry;

namespace Relay.Actors.Tests;

/// <summary>How every store keeps to the bounds of a read of a stream.</summary>
internal static class OutboxReadContract
{
    private static readonly StreamKey Wire = new("e", StreamKind.Wire);

    private sealed class Row(int size) : OutboxAppend
    {
        public override StreamKey Stream => Wire;

        public override byte[] Seal(ulong sequence) => new byte[size];
    }

    /// <param name="store">Empty.</param>
    public static async Task VerifyAsync(IRelayStore store)
    {
        Assert.Equal(InsertEndpointResult.Inserted, await store.InsertEndpointAsync(new StoredEndpoint("e", 1, 1, 1, [1]), default));
        int[] sizes = [100, 200, 300, 5000, 10, 10];
        var unit = new CommitUnit { EndpointId = "e", ConversationId = "c", ExpectedVersion = 0, Sealed = [1], UpdatedMs = 1, Outbox = [.. sizes.Select(s => new Row(s))] };
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(unit, default));
        async Task<List<ulong>> ReadAsync(ulong after, int max, long bytes) => [.. (await store.ReadAsync(Wire, after, max, bytes, default)).Select(r => r.Sequence)];

        Assert.Equal([1UL, 2, 3, 4, 5, 6], await ReadAsync(0, 1000, long.MaxValue));
        Assert.Equal([1UL, 2, 3], await ReadAsync(0, 1000, 600));
        Assert.Equal([1UL, 2], await ReadAsync(0, 1000, 599));
        Assert.Equal([1UL, 2], await ReadAsync(0, 2, 600));
        // One in any case, or the reader would never get past it; and nothing small behind it in its place.
        Assert.Equal([4UL], await ReadAsync(3, 1000, 600));
        Assert.Equal([4UL], await ReadAsync(3, 1000, 0));
        Assert.Equal([3UL], await ReadAsync(2, 1000, 1000));
        Assert.Equal([5UL, 6], await ReadAsync(4, 1000, 20));
        Assert.Empty(await ReadAsync(6, 1000, 0));
        Assert.Empty(await ReadAsync(0, 0, long.MaxValue));
    }
}

public sealed class SqliteOutboxReadTests
{
    [Fact]
    public async Task A_read_keeps_to_its_number_and_its_bytes()
    {
        var directory = Directory.CreateTempSubdirectory("relay-test-").FullName;
        using var telemetry = new RelayTelemetry();
        await using (var store = SqliteStore.Open(Path.Combine(directory, "relay.db"), telemetry, NullLogger.Instance)) await OutboxReadContract.VerifyAsync(store);
        Directory.Delete(directory, recursive: true);
    }
}
