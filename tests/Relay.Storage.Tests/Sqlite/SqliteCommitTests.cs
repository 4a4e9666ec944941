using System.Diagnostics.Metrics;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Relay.Storage.Sqlite;
using Relay.Storage.Telemetry;
using Relay.Storage.Tests.Harness;

namespace Relay.Storage.Tests.Sqlite;

/// <summary>A COMMIT that fails says nothing of whether it was done.</summary>
public sealed class SqliteCommitTests : IAsyncDisposable
{
    private static readonly StreamKey Wire = new("e", StreamKind.Wire);
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-test-").FullName;
    private readonly Meter _meter = new("Relay.Storage.Tests");
    private readonly SqliteStore _store;

    public SqliteCommitTests() => _store = SqliteStore.Open(Path.Combine(_directory, "relay.db"), new StorageTelemetry(_meter), NullLogger.Instance);

    private sealed class Row : StreamRow
    {
        public override StreamKey Stream => Wire;

        public override byte[] Seal(ulong sequence) => [(byte)sequence];
    }

    private static CommitUnit Unit(string id) => new() { EndpointId = "e", ConversationId = id, ExpectedVersion = 0, Sealed = [1], UpdatedMs = 1, Outbox = [new Row()] };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_waits_for_a_stream_is_told_if_the_commit_may_have_been_done(bool isDone)
    {
        await _store.InsertEndpointAsync(new EndpointRow("e", 1, 1, 1, [1]), default);
        var told = new List<StreamKey>();
        _store.Appended += (stream, _) => { lock (told) told.Add(stream); };
        int failures = 0;
        _store.EndTransaction = s =>
        {
            if (isDone || failures > 0) s.Execute("COMMIT");
            if (failures++ == 0) throw new SqliteException("disk I/O error", 10);
        };
        await Assert.ThrowsAsync<StoreException>(async () => await _store.CommitAsync(Unit("c"), default));
        lock (told) Assert.Equal([Wire], told);
        Assert.Equal(isDone ? 1 : 0, (await _store.ReadAsync(Wire, 0, 10, default)).Count);
        // Whoever goes on reads first, and then finds its own version or none.
        Assert.Equal(isDone ? (CommitResult)CommitResult.Conflict.Instance : CommitResult.Committed.Instance, await _store.CommitAsync(Unit("c"), default));
        Assert.Single(await _store.ReadAsync(Wire, 0, 10, default));
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _meter.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
