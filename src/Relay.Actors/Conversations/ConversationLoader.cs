using Microsoft.Extensions.Logging;
using Relay.Actors.Endpoints;
using Relay.Actors.Shards;
using Relay.Actors.Telemetry;
using Relay.Storage;

namespace Relay.Actors.Conversations;

/// <summary>What the entities of a node use, beside what their turns use.</summary>
/// <param name="Loads">Bounds what entities read from the store.</param>
/// <param name="Computing">Bounds how many conversations compute at once, fairly between endpoints.</param>
/// <param name="DeadlineSet">Is told of every deadline that was stored, in Unix ms.</param>
internal sealed record ConversationContext(
    IConversationStore Store, BoundedReads Loads, AccountCache Accounts, ComputeGate Computing, TimeProvider Time, ILogger Log,
    TurnEnvironment Turn, ResidentConversations Residents, Action<long> DeadlineSet)
{
    public long NowMs => Time.GetUtcNow().ToUnixTimeMilliseconds();
}

/// <summary>What loading a conversation came to: a state, or the reply for everybody who asks.</summary>
/// <param name="State">Not begun if the store has no such conversation.</param>
/// <param name="IsQuarantined">The conversation's row does not open, so that reading it again is of no use.</param>
internal sealed record LoadedConversation(ConversationState? State, ConversationReply? Without, bool IsQuarantined);

/// <summary>Loads conversations: the endpoint's key, then the row.</summary>
internal static class ConversationLoader
{
    /// <exception cref="StoreException"/>
    public static async Task<LoadedConversation> LoadAsync(ConversationContext context, ConversationKey key, CancellationToken cancellation)
    {
        AccountCache.AccountLease? lease = null;
        try
        {
            lease = await context.Accounts.AcquireAsync(key.EndpointId, cancellation).ConfigureAwait(false);
            if (lease is null) return new(null, new ConversationReply.NotFound("endpoint"), false);
            var stored = await context.Loads.ReadAsync(c => context.Store.LoadAsync(key.EndpointId, key.ConversationId, c), cancellation)
                .ConfigureAwait(false);
            var bounds = context.Turn.Log;
            var state = stored is null
                ? ConversationState.New(lease, bounds)
                : ConversationState.TryOpen(lease, context.Turn.Sealer, stored, bounds, context.NowMs);
            if (state is null)
            {
                await QuarantineAsync(context, key, stored!, cancellation).ConfigureAwait(false);
                return new(null, new ConversationReply.Quarantined(key.ConversationId), true);
            }
            lease = null;
            context.Turn.Telemetry.Activated();
            return new(state, null, false);
        }
        catch (DamagedEndpointException)
        {
            return new(null, new ConversationReply.Quarantined(key.ConversationId), false);
        }
        finally
        {
            lease?.Dispose();
        }
    }

    private static async ValueTask QuarantineAsync(
        ConversationContext context, ConversationKey key, ConversationRow stored, CancellationToken cancellation)
    {
        context.Turn.Telemetry.Quarantined("conversation");
        RelayLog.ConversationQuarantined(context.Log, key.ConversationId);
        // Its deadline can never be dealt with.
        if (stored.DueMs is null) return;
        await context.Store.SuspendAsync(key.EndpointId, key.ConversationId, cancellation).ConfigureAwait(false);
    }
}
