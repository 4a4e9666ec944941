using Akka.Actor;
using Relay.Actors.Conversations;
using Relay.Storage;

namespace Relay.Actors.Subscriptions;

/// <summary>The way in to subscriptions: their settings are part of the endpoint's, and their state is asked of their entities.</summary>
internal sealed class SubscriptionClient(IEndpoints endpoints, ISubscriptionStore store, Func<IActorRef> region) : ISubscriptions
{
    public async ValueTask<SubscriptionChange> SaveAsync(
        string endpointId, SubscriptionSettings settings, bool create, CancellationToken cancellation)
    {
        try
        {
            // Before conversations append to it.
            if (create) await store.OpenStreamAsync(StreamKey.OfSubscription(endpointId, settings.Name), cancellation)
                .ConfigureAwait(false);
            var change = SubscriptionChange.Done;
            var reply = await endpoints.UpdateAsync(endpointId, view =>
            {
                var list = view.Settings.Subscriptions;
                change = (list.Find(settings.Name) is not null) == create ? SubscriptionChange.WrongName
                    : create && list.Count >= RelayLimits.MaxSubscriptions ? SubscriptionChange.TooMany
                    : SubscriptionChange.Done;
                return change == SubscriptionChange.Done ? view.Settings with { Subscriptions = list.With(settings) } : view.Settings;
            }, null, cancellation).ConfigureAwait(false);
            return Result(reply, change);
        }
        catch (StoreException)
        {
            return SubscriptionChange.Unavailable;
        }
    }

    public async ValueTask<SubscriptionChange> DeleteAsync(string endpointId, string name, CancellationToken cancellation)
    {
        try
        {
            var reply = await endpoints.UpdateAsync(endpointId,
                view => view.Settings with { Subscriptions = view.Settings.Subscriptions.Without(name) }, null, cancellation)
                .ConfigureAwait(false);
            var result = Result(reply, SubscriptionChange.Done);
            if (result != SubscriptionChange.Done) return result;
            await AskAsync(endpointId, new SubscriptionSettings(name, EventTypes.None, default, 0),
                new SubscriptionRequest.Close(), cancellation)
                .ConfigureAwait(false);
            // Conversations in memory of other nodes may still append to it: the store refuses, and they look at their endpoint again.
            await store.DeleteSubscriptionAsync(endpointId, name, cancellation).ConfigureAwait(false);
            return result;
        }
        catch (StoreException)
        {
            return SubscriptionChange.Unavailable;
        }
    }

    public async ValueTask<SubscriptionReply> AskAsync(string endpointId, SubscriptionSettings settings, SubscriptionRequest request,
        CancellationToken cancellation)
    {
        var key = SubscriptionKeys.Of(endpointId, settings.Name);
        var id = Guid.NewGuid().ToString("N");
        var patience = RelayLimits.CommandExpiry + (request is SubscriptionRequest.Pull pull ? pull.Wait : TimeSpan.Zero);
        try
        {
            // The entity has no use for the webhook's secrets.
            var command = new SubscriptionCommand(key, id, settings with { Webhook = null }, request);
            return await region().Ask<object>(command, patience, cancellation).ConfigureAwait(false) switch
            {
                SubscriptionAnswer answer when answer.Key == key && answer.RequestId == id => answer.Reply,
                // The region answers for an entity that is being moved.
                _ => new SubscriptionReply.Unavailable(ConversationReply.Moved),
            };
        }
        catch (AskTimeoutException)
        {
            return new SubscriptionReply.Unavailable(ConversationReply.Slow);
        }
    }

    private static SubscriptionChange Result(UpdateEndpointReply reply, SubscriptionChange change) => reply switch
    {
        UpdateEndpointReply.Updated => change,
        UpdateEndpointReply.NotFound or UpdateEndpointReply.Deleted => SubscriptionChange.NoEndpoint,
        _ => SubscriptionChange.Unavailable,
    };
}
