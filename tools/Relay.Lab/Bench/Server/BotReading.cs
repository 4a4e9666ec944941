using Relay.Client;
using Relay.Gateway.Hosting;
using Relay.V1;

namespace Relay.Lab.Bench.Server;

/// <summary>One of the ways in which a bot gets its events.</summary>
internal abstract class BotReading
{
    /// <summary>Whether the endpoints have no event stream of their own: only subscriptions get their events.</summary>
    public virtual bool IsBySubscription => false;

    /// <summary>Creates at an endpoint what is read from.</summary>
    public virtual Task PrepareAsync(RelayClient admin, string endpoint, CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>Reads and acknowledges until it is cancelled.</summary>
    /// <param name="hear">Called with each event, in order for each conversation; with the SDK's event where there is one.</param>
    public abstract Task RunAsync(
        RelayClient client, IReadOnlyList<string> endpoints, Action<Event, BotEvent?> hear, CancellationToken cancellation);

    protected static Task SubscribeAsync(
        RelayClient admin, string endpoint, string id, Webhook? webhook, CancellationToken cancellation)
    {
        var request = new CreateSubscriptionRequest
        {
            Parent = endpoint, SubscriptionId = id, Subscription = new Subscription { Webhook = webhook },
        };
        return admin.CallAsync(o => admin.Subscriptions.CreateSubscriptionAsync(request, o), cancellation);
    }
}

/// <summary>The event streams of the endpoints, as many at a time as one stream may open.</summary>
internal sealed class StreamReading : BotReading
{
    public override Task RunAsync(
        RelayClient client, IReadOnlyList<string> endpoints, Action<Event, BotEvent?> hear, CancellationToken cancellation)
        => Task.WhenAll(endpoints.Chunk(GatewayLimits.MaxEndpointsPerStream).Select(some => ReadAsync(client, some, hear, cancellation)));

    private static async Task ReadAsync(
        RelayClient client, string[] endpoints, Action<Event, BotEvent?> hear, CancellationToken cancellation)
    {
        await foreach (var e in client.Bot(endpoints).Events(cancellation))
        {
            hear(e.Message, e);
            await e.AckAsync(cancellation);
        }
    }
}

/// <summary>Named subscriptions by the SDK: each of them reads everything, and the first is measured.</summary>
internal sealed class SubscriptionReading(int count) : BotReading
{
    public override bool IsBySubscription => true;

    public override async Task PrepareAsync(RelayClient admin, string endpoint, CancellationToken cancellation)
    {
        for (int n = 0; n < count; n++) await SubscribeAsync(admin, endpoint, $"s{n}", null, cancellation);
    }

    public override Task RunAsync(
        RelayClient client, IReadOnlyList<string> endpoints, Action<Event, BotEvent?> hear, CancellationToken cancellation) =>
        Task.WhenAll(
            from endpoint in endpoints
            from n in Enumerable.Range(0, count)
            select ReadAsync(client, endpoint, $"s{n}", n == 0 ? hear : (_, _) => { }, cancellation));

    private static async Task ReadAsync(
        RelayClient client, string endpoint, string id, Action<Event, BotEvent?> hear, CancellationToken cancellation)
    {
        await foreach (var e in client.Bot(endpoint).Subscription($"{endpoint}/subscriptions/{id}", cancellation))
        {
            hear(e.Message, e);
            await e.AckAsync(cancellation);
        }
    }
}

/// <summary>A subscription by unary calls: pull with a wait, then one acknowledgement for all that came.</summary>
internal sealed class LongPollReading : BotReading
{
    private static readonly TimeSpan s_wait = TimeSpan.FromSeconds(20);

    public override bool IsBySubscription => true;

    public override Task PrepareAsync(RelayClient admin, string endpoint, CancellationToken cancellation) =>
        SubscribeAsync(admin, endpoint, "poll", null, cancellation);

    public override Task RunAsync(
        RelayClient client, IReadOnlyList<string> endpoints, Action<Event, BotEvent?> hear, CancellationToken cancellation) =>
        Task.WhenAll(endpoints.Select(e => PollAsync(client, $"{e}/subscriptions/poll", hear, cancellation)));

    private static async Task PollAsync(
        RelayClient client, string subscription, Action<Event, BotEvent?> hear, CancellationToken cancellation)
    {
        var pull = new PullSubscriptionRequest
        {
            Name = subscription, MaxEvents = 100, Wait = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(s_wait),
        };
        while (true)
        {
            var pulled = await client.CallAsync(o => client.Subscriptions.PullSubscriptionAsync(pull, o), cancellation);
            if (pulled.Events.Count == 0) continue;
            foreach (var e in pulled.Events) hear(e, null);
            var ack = new AckSubscriptionRequest { Name = subscription };
            ack.Cursors.AddRange(pulled.Events.Select(e => e.Cursor));
            await client.CallAsync(o => client.Subscriptions.AckSubscriptionAsync(ack, o), cancellation);
        }
    }
}
