using Microsoft.Extensions.Logging;
using Relay.Actors.Endpoints;
using Relay.Actors.Subscriptions;
using Relay.Actors.Telemetry;
using Relay.Storage;

namespace Relay.Actors.Conversations;

/// <summary>Services that the entities of a node share.</summary>
/// <param name="Loads">Bounds the entities' reads from the store.</param>
/// <param name="Computing">Bounds how many conversations compute at once, fairly between endpoints.</param>
/// <param name="DeadlineSet">Called with every stored deadline, in Unix ms.</param>
internal sealed record ConversationContext(
    IConversationStore Store, BoundedReads Loads, AccountCache Accounts, ComputeGate Computing, TimeProvider Time, ILogger Log,
    TurnEnvironment Turn, ResidentConversations Residents, Action<long> DeadlineSet)
{
    /// <summary>Null on a node that serves none, as in tests.</summary>
    public SubscriptionContext? Subscriptions { get; init; }

    public long NowMs => Time.GetUtcNow().ToUnixTimeMilliseconds();
}

/// <summary>The result of loading a conversation: a state, or the reply to every message.</summary>
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
            var (stored, copy) = await context.Loads.ReadAsync(
                c => context.Store.LoadConversationAsync(key.EndpointId, key.ConversationId, c), cancellation).ConfigureAwait(false);
            var state = stored is null ? Begin(context, key, lease, copy)
                : context.Turn.Sealer.IsOfLostEpoch(stored.Sealed) ? Begin(context, key, lease, copy)?.InPlaceOf(stored)
                : ConversationState.TryOpen(lease, context.Turn.Sealer, stored, context.Turn.Log, context.NowMs);
            if (state is null)
            {
                await QuarantineAsync(context, key, stored, cancellation).ConfigureAwait(false);
                return new(null, new ConversationReply.Quarantined(key.ConversationId), true);
            }
            lease = null;
            // A deadline that nothing is left of would be due for ever.
            if (stored?.DueMs is not null && !state.IsBegun)
                await context.Store.SuspendAsync(key.EndpointId, key.ConversationId, cancellation).ConfigureAwait(false);
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

    /// <summary>
    /// Begins a new conversation, or one whose state was dropped when the database was restored, or was sealed in an epoch whose key is lost.
    /// </summary>
    /// <param name="copy">The stored identities of the peer; null if there are none.</param>
    /// <returns>Null if they do not open: a changed key must not be taken for a new one.</returns>
    private static ConversationState? Begin(ConversationContext context, ConversationKey key, AccountCache.AccountLease lease, byte[]? copy)
    {
        if (copy is null) return ConversationState.New(lease, context.Turn.Log);
        return Identities.TryOpenCopy(context.Turn.Sealer, key, copy) is var (peer, identities)
            ? ConversationState.New(lease, context.Turn.Log, peer, identities, context.NowMs) : null;
    }

    private static async ValueTask QuarantineAsync(
        ConversationContext context, ConversationKey key, ConversationRow? stored, CancellationToken cancellation)
    {
        context.Turn.Telemetry.DidNotOpen(SealedThing.Conversation);
        RelayLog.ConversationQuarantined(context.Log, key.ConversationId);
        // Its deadline can never be handled.
        if (stored?.DueMs is null) return;
        await context.Store.SuspendAsync(key.EndpointId, key.ConversationId, cancellation).ConfigureAwait(false);
    }
}
