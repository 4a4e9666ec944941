using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Actors.Endpoints;
using Relay.Actors.Outbox;
using Relay.Actors.Shards;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>What every conversation of a process uses; nothing of it is static, so a test can run several beside each other.</summary>
/// <param name="Loads">What conversations read of the store goes through it.</param>
/// <param name="Computing">Bounds how many conversations compute at once.</param>
/// <param name="Budgets">What the peers of an endpoint may make us compute.</param>
/// <param name="Schedule">Has an actor run: on the thread pool, or where a simulation wants it.</param>
/// <param name="DeadlineSet">Told of every deadline that was stored, in Unix ms.</param>
internal sealed record ConversationContext(
    IConversationStore Store, BoundedReads Loads, Sealer Sealer, KeyedIds Ids, AccountCache Accounts, StreamSignals Signals,
    TimeProvider Time, IRandomSource Random, ComputeGate Computing, ComputeBudgets Budgets, RelayTelemetry Telemetry, ILogger Log, Action<IThreadPoolWorkItem> Schedule, Action<long> DeadlineSet)
{
    /// <summary>The standing at the shard that the conversation belongs to.</summary>
    public ShardStanding Standing { get; init; } = ShardStanding.Sole;

    /// <summary>How those go on who wait for an answer.</summary>
    public TaskCreationOptions Continuations { get; init; } = TaskCreationOptions.RunContinuationsAsynchronously;

    public long NowMs => Time.GetUtcNow().ToUnixTimeMilliseconds();
}
