using Google.Protobuf.WellKnownTypes;
using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Status;

/// <summary>What waits in an endpoint for its bot, its bridge and the readers of its subscriptions.</summary>
internal sealed record EndpointBacklog(Endpoint Endpoint, EndpointStatus Status, IReadOnlyList<Subscription> Subscriptions)
{
    /// <summary>An age of what waits above which it is pointed out: nobody reads, or the reader is stuck.</summary>
    public static readonly TimeSpan OldAge = TimeSpan.FromMinutes(5);

    /// <summary>The age of what waits longest.</summary>
    public TimeSpan Oldest => new[] { Status.Events?.OldestAge, Status.Wire?.OldestAge }.Concat(Subscriptions.Select(s => s.OldestAge))
        .Max(a => a?.ToTimeSpan() ?? TimeSpan.Zero);

    /// <summary>What was counted in its conversations; null: they were not counted.</summary>
    public ConversationCounts? Conversations => Status.Conversations;

    public int DeadLetters => Subscriptions.Sum(s => s.DeadLetters);

    /// <param name="counts">Count the conversations as well, which reads them.</param>
    public static async Task<EndpointBacklog> OfAsync(RelayClient client, Endpoint endpoint, bool counts, CancellationToken cancellation)
    {
        var list = new ListSubscriptionsRequest { Parent = endpoint.Name };
        var subscriptions = new List<Subscription>();
        var listed = await client.CallAsync(o => client.Subscriptions.ListSubscriptionsAsync(list, o), cancellation);
        foreach (var s in listed.Subscriptions)
        {
            var get = new GetSubscriptionRequest { Name = s.Name };
            subscriptions.Add(await client.CallAsync(o => client.Subscriptions.GetSubscriptionAsync(get, o), cancellation));
        }
        var status = new GetEndpointStatusRequest { Name = endpoint.Name + "/status", CountConversations = counts };
        return new EndpointBacklog(endpoint,
            await client.CallAsync(o => client.Endpoints.GetEndpointStatusAsync(status, o), cancellation), subscriptions);
    }
}
