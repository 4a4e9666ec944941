using Relay.Storage;

namespace Relay.Actors.Tests.Harness;

/// <summary>
/// A store that a test can make fail, die and wait. Dead, it does nothing any more: what the process would have done after
/// that moment cannot happen.
/// </summary>
internal sealed class FaultyStore(IRelayStore inner) : IRelayStore
{
    private int _writes, _atGate, _scrubs;
    private volatile bool _dead;
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _gate = Task.CompletedTask;

    /// <summary>Commits and acknowledgements so far.</summary>
    public int Writes => _writes;

    public bool IsDead => _dead;

    /// <summary>The write with this number (from 1) is the last thing that happens, or the first that does not.</summary>
    public (int Write, bool AfterIt)? CrashAt { get; set; }

    /// <summary>The next commit fails: after having been done, or not.</summary>
    public bool? FailNextCommitAfterIt { get; set; }

    /// <summary>An update of an endpoint fails after having been done.</summary>
    public bool LosesNextUpdate { get; set; }

    /// <summary>The endpoint that cannot be purged.</summary>
    public string? FailsPurgeOf { get; set; }

    /// <summary>Commits that have come to the gate.</summary>
    public int CountAtGate => Volatile.Read(ref _atGate);

    /// <summary>Commits wait for it before they are done.</summary>
    public Task Gate { set => _gate = value; }

    /// <summary>Each commit waits for what it says for it.</summary>
    public Func<CommitUnit, Task> Hold { get; set; } = _ => Task.CompletedTask;

    /// <summary>Reads wait for it, whatever their caller's patience.</summary>
    public Task ReadGate { get; set; } = Task.CompletedTask;

    /// <summary>Nobody waits at the gate any more: a test that failed must be able to end.</summary>
    public void LeaveGateOpen() => _over.TrySetResult();

    /// <summary>Completes when a commit has come to the gate.</summary>
    public TaskCompletionSource AtGate { get; set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public event Action<StreamKey, ulong>? Appended { add => inner.Appended += value; remove => inner.Appended -= value; }

    public event Action<StreamKey>? Acknowledged { add => inner.Acknowledged += value; remove => inner.Acknowledged -= value; }

    public async ValueTask<CommitResult> CommitAsync(CommitUnit unit, CancellationToken cancellation)
    {
        AtGate.TrySetResult();
        Interlocked.Increment(ref _atGate);
        await Task.WhenAny(_gate, _over.Task);
        await Task.WhenAny(Hold(unit), _over.Task);
        if (FailNextCommitAfterIt is { } after)
        {
            FailNextCommitAfterIt = null;
            if (after) await inner.CommitAsync(unit, cancellation);
            throw new StoreException("Made to fail.");
        }
        return await WriteAsync(() => inner.CommitAsync(unit, cancellation));
    }

    public async ValueTask AcknowledgeAsync(StreamKey stream, ulong sequence, CancellationToken cancellation) => await WriteAsync(async () =>
    {
        await inner.AcknowledgeAsync(stream, sequence, cancellation);
        return true;
    });

    private async ValueTask<T> WriteAsync<T>(Func<ValueTask<T>> write)
    {
        Live();
        int number = Interlocked.Increment(ref _writes);
        if (CrashAt is not { } crash || crash.Write != number) return await write();
        if (crash.AfterIt) await write();
        _dead = true;
        throw new StoreException("Dead.");
    }

    private IRelayStore Live() => _dead ? throw new StoreException("Dead.") : inner;

    public ValueTask<StoredConversation> LoadConversationAsync(string endpointId, string conversationId, CancellationToken cancellation) => AtReadGateAsync(s => s.LoadConversationAsync(endpointId, conversationId, cancellation));
    public ValueTask<IReadOnlyList<ConversationRow>> ListAsync(string endpointId, string? afterId, int max, CancellationToken cancellation) => AtReadGateAsync(s => s.ListAsync(endpointId, afterId, max, cancellation));
    public ValueTask<DueConversations> ReadDueAsync(long untilMs, int max, CancellationToken cancellation) => AtReadGateAsync(s => s.ReadDueAsync(untilMs, max, cancellation));
    public ValueTask SuspendAsync(string endpointId, string conversationId, CancellationToken cancellation) => Live().SuspendAsync(endpointId, conversationId, cancellation);
    public ValueTask PostponeAsync(string endpointId, string conversationId, long dueByMs, long untilMs, CancellationToken cancellation) => Live().PostponeAsync(endpointId, conversationId, dueByMs, untilMs, cancellation);
    public ValueTask<IReadOnlyList<(ulong Sequence, byte[] Sealed)>> ReadAsync(StreamKey stream, ulong after, int max, long maxBytes, CancellationToken cancellation) => AtReadGateAsync(s => s.ReadAsync(stream, after, max, maxBytes, cancellation));
    public ValueTask<(ulong Acknowledged, ulong Last)> PositionAsync(StreamKey stream, CancellationToken cancellation) => AtReadGateAsync(s => s.PositionAsync(stream, cancellation));
    public ValueTask<InsertEndpointResult> InsertEndpointAsync(EndpointRow endpoint, CancellationToken cancellation) => Live().InsertEndpointAsync(endpoint, cancellation);
    public ValueTask<EndpointRow?> LoadEndpointAsync(string id, CancellationToken cancellation) => AtReadGateAsync(s => s.LoadEndpointAsync(id, cancellation));
    public ValueTask<EndpointRow?> FindEndpointByRequestAsync(UInt128 request, CancellationToken cancellation) => AtReadGateAsync(s => s.FindEndpointByRequestAsync(request, cancellation));
    public ValueTask<IReadOnlyList<EndpointRow>> ListEndpointsAsync(string? afterId, int max, CancellationToken cancellation) => AtReadGateAsync(s => s.ListEndpointsAsync(afterId, max, cancellation));
    public ValueTask<IReadOnlyList<EndpointRow>> ReadPurgeDueAsync(long untilMs, int max, CancellationToken cancellation) => AtReadGateAsync(s => s.ReadPurgeDueAsync(untilMs, max, cancellation));
    public ValueTask<bool> PurgeEndpointAsync(string id, ulong expectedRevision, CancellationToken cancellation) => id == FailsPurgeOf
        ? throw new StoreException("It cannot be purged yet.") : WriteAsync(async () => await inner.PurgeEndpointAsync(id, expectedRevision, cancellation));
    public ValueTask<bool> UpdateEndpointAsync(string id, ulong expectedRevision, byte[] value, long? purgeMs, CancellationToken cancellation) => WriteAsync(async () =>
    {
        bool isDone = await inner.UpdateEndpointAsync(id, expectedRevision, value, purgeMs, cancellation);
        return LosesNextUpdate ? throw new StoreException("The answer is lost.") : isDone;
    });
    public ValueTask OpenStreamAsync(StreamKey stream, CancellationToken cancellation) => inner.OpenStreamAsync(stream, cancellation);
    public ValueTask DeleteSubscriptionAsync(string endpointId, string name, CancellationToken cancellation) => inner.DeleteSubscriptionAsync(endpointId, name, cancellation);
    public ValueTask<SubscriptionRow?> LoadSubscriptionAsync(string endpointId, string name, SubscriptionPart part, CancellationToken cancellation) => AtReadGateAsync(s => s.LoadSubscriptionAsync(endpointId, name, part, cancellation));
    public ValueTask<bool> SaveSubscriptionAsync(string endpointId, string name, SubscriptionPart part, ulong expectedRevision, byte[] value, CancellationToken cancellation) => WriteAsync(async () => await inner.SaveSubscriptionAsync(endpointId, name, part, expectedRevision, value, cancellation));
    public ValueTask<SaveFileResult> SaveFileAsync(FileRow file, CancellationToken cancellation) => WriteAsync(async () => await inner.SaveFileAsync(file, cancellation));
    public ValueTask<StoredFile?> LoadFileAsync(string endpointId, string id, CancellationToken cancellation) => AtReadGateAsync(s => s.LoadFileAsync(endpointId, id, cancellation));
    public ValueTask<IReadOnlyList<StoredFile>> ListFilesAsync(string endpointId, string? afterId, int max, CancellationToken cancellation) => AtReadGateAsync(s => s.ListFilesAsync(endpointId, afterId, max, cancellation));
    public ValueTask<bool> AppendPortionAsync(string endpointId, string id, uint number, byte[] value, CancellationToken cancellation) => WriteAsync(async () => await inner.AppendPortionAsync(endpointId, id, number, value, cancellation));
    public ValueTask<IReadOnlyList<byte[]>> ReadPortionsAsync(string endpointId, string id, uint first, int max, CancellationToken cancellation) => AtReadGateAsync(s => s.ReadPortionsAsync(endpointId, id, first, max, cancellation));
    public ValueTask DeleteFileAsync(string endpointId, string id, CancellationToken cancellation) => Live().DeleteFileAsync(endpointId, id, cancellation);
    /// <summary>How often deleted files were scrubbed.</summary>
    public int Scrubs => _scrubs;
    public ValueTask<bool> ScrubFilesAsync(CancellationToken cancellation)
    {
        Interlocked.Increment(ref _scrubs);
        return Live().ScrubFilesAsync(cancellation);
    }
    public ValueTask<IReadOnlyList<(string EndpointId, string Id)>> ReadFilesDueAsync(long untilMs, int max, CancellationToken cancellation) => AtReadGateAsync(s => s.ReadFilesDueAsync(untilMs, max, cancellation));
    public ValueTask<bool> AppendAuditAsync(ulong sequence, byte[] value, CancellationToken cancellation) => WriteAsync(async () => await inner.AppendAuditAsync(sequence, value, cancellation));
    public ValueTask<IReadOnlyList<AuditRow>> ReadAuditAsync(ulong after, int max, CancellationToken cancellation) => AtReadGateAsync(s => s.ReadAuditAsync(after, max, cancellation));
    public ValueTask<(ulong First, ulong Last)> AuditBoundsAsync(CancellationToken cancellation) => AtReadGateAsync(s => s.AuditBoundsAsync(cancellation));
    public ValueTask TrimAuditAsync(ulong through, CancellationToken cancellation) => inner.TrimAuditAsync(through, cancellation);
    public ValueTask<EndpointChanges> ReadChangesAsync(ulong after, CancellationToken cancellation) => AtReadGateAsync(s => s.ReadChangesAsync(after, cancellation));
    public ValueTask<byte[]> GetOrAddMetaAsync(string name, byte[]? candidate, CancellationToken cancellation) => Live().GetOrAddMetaAsync(name, candidate, cancellation);
    public ValueTask<StoreFigures> ReadFiguresAsync(CancellationToken cancellation) => AtReadGateAsync(s => s.ReadFiguresAsync(cancellation));
    public ValueTask<IReadOnlyList<StreamHead>> ReadHeadsAsync(StreamKey? after, int max, CancellationToken cancellation) => AtReadGateAsync(s => s.ReadHeadsAsync(after, max, cancellation));
    public ValueTask FlushAsync(CancellationToken cancellation) => inner.FlushAsync(cancellation);
    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private async ValueTask<T> AtReadGateAsync<T>(Func<IRelayStore, ValueTask<T>> read)
    {
        if (!ReadGate.IsCompleted) await Task.WhenAny(ReadGate, _over.Task);
        if (ReadGate.IsFaulted) await ReadGate;
        return await read(Live());
    }
}
