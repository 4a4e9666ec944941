using Relay.Actors;
using Relay.Actors.Subscriptions;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Streams;

/// <summary>One reader of a subscription, on behalf of one call.</summary>
internal sealed class SubscriptionReader(IRelay relay, string endpointId, SubscriptionSettings settings)
{
    private readonly string _id = Guid.NewGuid().ToString("N");

    public SubscriptionSettings Settings { get; set; } = settings;

    /// <summary>Takes events, and waits for the first, but no longer than a subscription lets wait.</summary>
    public async Task<SubscriptionReply.Delivered> TakeAsync(int max, TimeSpan wait, CancellationToken cancellation)
    {
        var bounded = wait < RelayLimits.MaxSubscriptionWait ? wait : RelayLimits.MaxSubscriptionWait;
        var pull = new SubscriptionRequest.Pull(_id, max, bounded);
        return Require<SubscriptionReply.Delivered>(await relay.Subscriptions.AskAsync(endpointId, Settings, pull, cancellation));
    }

    /// <summary>
    /// Gives back what was not acknowledged. Best effort: otherwise it is delivered again after the wait for acknowledgements.
    /// </summary>
    public async Task ReleaseAsync()
    {
        using var limit = new CancellationTokenSource(GatewayLimits.ReleaseTimeout);
        try
        {
            await relay.Subscriptions.AskAsync(endpointId, Settings, new SubscriptionRequest.Release(_id), limit.Token);
        }
        catch (OperationCanceledException)
        {
            // Its node drains, or is gone.
        }
    }

    /// <exception cref="Grpc.Core.RpcException">The reply is another: its status says why.</exception>
    public static T Require<T>(SubscriptionReply reply) where T : SubscriptionReply => reply switch
    {
        T wanted => wanted,
        SubscriptionReply.UnknownCursor => throw ApiErrors.OutOfRange("cursors", "there is one that is beyond the last event"),
        SubscriptionReply.Unavailable => throw ApiErrors.Unavailable(
            "The subscription does not reply now; retry.", RelayLimits.UnavailableRetryAfter, Reasons.SubscriptionUnavailable),
        _ => throw new System.Diagnostics.UnreachableException(reply.GetType().Name),
    };
}
