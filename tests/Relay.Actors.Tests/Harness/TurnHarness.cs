using Microsoft.Extensions.Logging.Abstractions;
using Otr.Core;
using Relay.Actors.Conversations;
using Relay.Actors.Endpoints;
using Relay.Actors.Outbox;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Tests.Harness;

/// <summary>Turns of one conversation without an actor, a store or a running clock.</summary>
internal sealed class TurnHarness : IDisposable
{
    public const string Endpoint = "bot", Peer = "contact@example.net";

    private readonly ManualTime _time = new();
    private readonly RelayTelemetry _telemetry = new();
    private readonly Sealer _sealer;
    private readonly AccountCache _accounts;

    public TurnHarness(RequestLogBounds? bounds = null)
    {
        using var sealing = new SealingKey(new byte[SealingKey.Size]);
        _sealer = new Sealer(sealing, SystemRandom.Instance.Fill);
        Ids = new KeyedIds(new byte[KeyedIds.KeySize]);
        Key = new ConversationKey(Endpoint, Ids.Conversation(Endpoint, Peer));
        _accounts = new AccountCache(new OneEndpoint(_sealer), new BoundedReads(1, _time), _sealer, _telemetry, NullLogger.Instance, 1, _time);
        var budgets = new ComputeBudgets(ComputeAllowance.Default, _time);
        Environment = new TurnEnvironment(_sealer, Ids, SystemRandom.Instance, budgets, new StreamSignals(_time), _telemetry)
        {
            Log = bounds ?? RequestLogBounds.Default,
        };
        State = ConversationState.New(Lease(), Environment.Log);
    }

    public KeyedIds Ids { get; }

    public ConversationKey Key { get; }

    public TurnEnvironment Environment { get; }

    public ConversationState State { get; private set; }

    public long NowMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    public void Advance(TimeSpan by) => _time.Advance(by);

    public ConversationCommand Send(string requestId, string text = "x", string? peer = Peer, TimeSpan? expiry = null)
        => Command(new Command.SendText(requestId, System.Text.Encoding.UTF8.GetBytes(text)), peer, expiry);

    public ConversationCommand Command(Command command, string? peer = Peer, TimeSpan? expiry = null)
        => new(Key, peer, command, NowMs + (long)(expiry ?? RelayLimits.CommandExpiry).TotalMilliseconds, default);

    public ConversationTurn Decide(params IConversationMessage[] batch)
        => ConversationTurn.Decide(Environment, Key, State, batch, new ShardFence(3, 7), NowMs);

    /// <summary>The replies to a batch, each in its place, when its commit succeeds.</summary>
    public ConversationReply?[] Commit(params IConversationMessage[] batch)
    {
        using var turn = Decide(batch);
        var replies = new ConversationReply?[batch.Length];
        foreach (var (index, reply) in turn.Known) replies[index] = reply;
        if (turn.Unit is null) return replies;
        ulong wireBefore = LastWire;
        LastWire += (ulong)turn.Unit.Outbox.Count(r => r.Stream.Kind == StreamKind.Wire);
        Units.Add(turn.Unit);
        Stored = Store(turn.Unit, wireBefore);
        foreach (var (index, reply) in turn.Apply(new CommitResult.Committed(wireBefore)).Replies) replies[index] = reply;
        return replies;
    }

    public ConversationReply Commit(IConversationMessage message) => Commit([message])[0]!;

    /// <summary>The last sequence of the wire stream.</summary>
    public ulong LastWire { get; private set; }

    /// <summary>What was committed.</summary>
    public List<CommitUnit> Units { get; } = [];

    /// <summary>The row as the last commit left it.</summary>
    public ConversationRow? Stored { get; private set; }

    /// <summary>Throws the state in memory away and opens the stored one.</summary>
    public void Reload()
    {
        State.Dispose();
        State = Open();
    }

    /// <summary>The stored state.</summary>
    public ConversationState Open() => ConversationState.TryOpen(Lease(), _sealer, Stored!, Environment.Log, NowMs)
        ?? throw new InvalidOperationException("The stored conversation does not open.");

    public void Dispose()
    {
        State.Dispose();
        _accounts.Dispose();
        _sealer.Dispose();
        Ids.Dispose();
        _telemetry.Dispose();
    }

    private ConversationRow Store(CommitUnit unit, ulong wireBefore)
    {
        var seen = (Stored?.Seen ?? []).Where(s => s.Version > unit.ForgetSeenThrough);
        if (unit.SealedSeen is { } value) seen = seen.Append(new SeenRow(unit.ExpectedVersion + 1, value, wireBefore));
        return new ConversationRow(
            unit.EndpointId, unit.ConversationId, unit.ExpectedVersion + 1, unit.Sealed, unit.UpdatedMs, unit.DueMs, [.. seen], wireBefore);
    }

    private AccountCache.AccountLease Lease()
        => _accounts.AcquireAsync(Endpoint, CancellationToken.None).AsTask().GetAwaiter().GetResult()!;

    private sealed class OneEndpoint(Sealer sealer) : IEndpointStore
    {
        private readonly Lazy<EndpointRow> _row = new(() =>
        {
            using var key = TestKeys.Copy(0);
            var view = new EndpointView(
                Endpoint, "xmpp", "bot@example.net", new EndpointSettings { Policy = OtrPolicy.AllowV3 }, key.PublicKey.Fingerprint, 0x100,
                DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, 1);
            return new EndpointRow(Endpoint, 1, 2, 3, EndpointRecord.Seal(sealer, view, key));
        });

        public ValueTask<EndpointRow?> LoadEndpointAsync(string id, CancellationToken cancellation) => new(_row.Value);

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
    }
}
