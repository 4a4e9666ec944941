using System.Collections.Concurrent;
using Akka.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Otr.Core;
using Relay.Actors.Conversations;
using Relay.Actors.Endpoints;
using Relay.Actors.Outbox;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Tests.Harness;

/// <summary>What an entity uses, over a store that answers when the test says so.</summary>
internal sealed class EntityHarness : IDisposable
{
    /// <summary>The product's settings of an actor system, without a log.</summary>
    public static Config Settings { get; } = ConfigurationFactory.ParseString("akka { loglevel = OFF, stdout-loglevel = OFF }")
        .WithFallback(ConfigurationFactory.FromResource("Relay.Actors.Hosting.akka.hocon", typeof(ConversationActor).Assembly));

    public const string Endpoint = "bot", Peer = "contact@example.net";
    public const int MaxResident = 2;

    private readonly RelayTelemetry _telemetry = new();
    private readonly Sealer _sealer;
    private readonly KeyedIds _ids = new(new byte[KeyedIds.KeySize]);

    public EntityHarness()
    {
        using (var sealing = new SealingKey(new byte[SealingKey.Size])) _sealer = new Sealer(sealing, SystemRandom.Instance.Fill);
        Store = new HeldStore(_sealer);
        Key = KeyOf(Peer);
        var loads = new BoundedReads(100, Time);
        var accounts = new AccountCache(Store, loads, _sealer, _telemetry, NullLogger.Instance, 1, Time);
        var budgets = new ComputeBudgets(ComputeAllowance.Default, Time);
        var turn = new TurnEnvironment(_sealer, _ids, SystemRandom.Instance, budgets, new StreamSignals(Time), _telemetry);
        var residents = new ResidentConversations(MaxResident, Time);
        Context = new ConversationContext(Store, loads, accounts, new ComputeGate(1), Time, NullLogger.Instance, turn, residents, _ => { });
    }

    public ManualTime Time { get; } = new();

    public HeldStore Store { get; }

    public ConversationContext Context { get; }

    public ConversationKey Key { get; }

    public ConversationKey KeyOf(string peer) => new(Endpoint, _ids.Conversation(Endpoint, peer));

    public ConversationCommand Send(string requestId, string? peer = Peer) => new(
        Key, peer, new Command.SendText(requestId, "x"u8.ToArray()),
        Time.GetUtcNow().Add(RelayLimits.CommandExpiry).ToUnixTimeMilliseconds(), default);

    public void Dispose()
    {
        Store.LetGo();
        Context.Accounts.Dispose();
        _sealer.Dispose();
        _ids.Dispose();
        _telemetry.Dispose();
    }
}

/// <summary>One endpoint, and conversations whose commits wait for the test, in order.</summary>
internal sealed class HeldStore(Sealer sealer) : IConversationStore, IEndpointStore
{
    private readonly BlockingCollection<(CommitUnit Unit, TaskCompletionSource<CommitResult> Result)> _commits = [];
    private readonly ConcurrentDictionary<string, ConversationRow> _rows = [];
    private readonly Lazy<EndpointRow> _endpoint = new(() =>
    {
        using var key = TestKeys.Copy(0);
        var view = new EndpointView(
            EntityHarness.Endpoint, "xmpp", "bot@example.net", new EndpointSettings { Policy = OtrPolicy.AllowV3 }, key.PublicKey.Fingerprint, 0x100,
            DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, 1);
        return new EndpointRow(view.Id, 1, 2, 3, EndpointRecord.Seal(sealer, view, key));
    });
    private (CommitUnit Unit, TaskCompletionSource<CommitResult> Result)? _pending;
    private int _loads;

    public int Loads => Volatile.Read(ref _loads);

    /// <summary>Loads wait for it.</summary>
    public TaskCompletionSource? HoldLoads { get; set; }

    /// <summary>The commit that waits.</summary>
    public CommitUnit Pending => _pending!.Value.Unit;

    /// <summary>Waits until a commit has come.</summary>
    public void AwaitCommits(int count)
    {
        for (int i = 0; i < count; i++)
        {
            Assert.True(_commits.TryTake(out var next, TimeSpan.FromSeconds(30)), "No commit came.");
            _pending = next;
        }
    }

    /// <summary>Does what waits.</summary>
    public void Commit()
    {
        var unit = Pending;
        _rows[unit.ConversationId] = new ConversationRow(
            unit.EndpointId, unit.ConversationId, unit.ExpectedVersion + 1, unit.Sealed, unit.UpdatedMs, unit.DueMs,
            unit.SealedSeen is { } seen ? [new SeenRow(unit.ExpectedVersion + 1, seen)] : []);
        Answer(CommitResult.Committed.Instance);
    }

    public void Answer(CommitResult result) => _pending!.Value.Result.SetResult(result);

    public void Fail(Exception e) => _pending!.Value.Result.SetException(e);

    /// <summary>Nothing waits any more.</summary>
    public void LetGo()
    {
        HoldLoads?.TrySetResult();
        while (_commits.TryTake(out var commit)) commit.Result.TrySetResult(CommitResult.Conflict.Instance);
        _pending?.Result.TrySetResult(CommitResult.Conflict.Instance);
    }

    public async ValueTask<StoredConversation> LoadConversationAsync(string endpointId, string conversationId, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _loads);
        if (HoldLoads is { } hold) await hold.Task;
        return new StoredConversation(_rows.GetValueOrDefault(conversationId), null);
    }

    public ValueTask<CommitResult> CommitAsync(CommitUnit unit, CancellationToken cancellation)
    {
        var result = new TaskCompletionSource<CommitResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        _commits.Add((unit, result), cancellation);
        return new(result.Task);
    }

    public ValueTask<EndpointRow?> LoadEndpointAsync(string id, CancellationToken cancellation) => new(_endpoint.Value);

    public ValueTask<InsertEndpointResult> InsertEndpointAsync(EndpointRow endpoint, CancellationToken cancellation)
        => throw new NotSupportedException();
    public ValueTask<EndpointRow?> FindEndpointByRequestAsync(UInt128 request, CancellationToken cancellation)
        => throw new NotSupportedException();
    public ValueTask<bool> UpdateEndpointAsync(string id, ulong expectedRevision, byte[] value, long? purgeMs, CancellationToken cancellation)
        => throw new NotSupportedException();
    public ValueTask<IReadOnlyList<EndpointRow>> ReadPurgeDueAsync(long untilMs, int max, CancellationToken cancellation)
        => throw new NotSupportedException();
    public ValueTask<bool> PurgeEndpointAsync(string id, ulong expectedRevision, CancellationToken cancellation)
        => throw new NotSupportedException();
    public ValueTask<EndpointChanges> ReadChangesAsync(ulong after, CancellationToken cancellation) => throw new NotSupportedException();
    public ValueTask<IReadOnlyList<EndpointRow>> ListEndpointsAsync(string? afterId, int max, CancellationToken cancellation)
        => throw new NotSupportedException();
    public ValueTask<IReadOnlyList<ConversationRow>> ListAsync(string endpointId, string? afterId, int max, CancellationToken cancellation)
        => throw new NotSupportedException();
    public ValueTask<DueConversations> ReadDueAsync(long untilMs, int max, CancellationToken cancellation)
        => throw new NotSupportedException();
    public ValueTask SuspendAsync(string endpointId, string conversationId, CancellationToken cancellation)
        => throw new NotSupportedException();
    public ValueTask PostponeAsync(string endpointId, string conversationId, long dueByMs, long untilMs, CancellationToken cancellation)
        => throw new NotSupportedException();
}
