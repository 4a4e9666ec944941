using Relay.V1;

namespace Relay.Client.Streams;

/// <summary>Tells the server what became of an event.</summary>
internal interface ISettler
{
    /// <returns>True once the server has stored it; false if the event was settled or given back before.</returns>
    ValueTask<bool> AcknowledgeAsync(BotEvent e, CancellationToken cancellation);

    /// <param name="terminate">It becomes a dead letter at once.</param>
    /// <returns>As <see cref="AcknowledgeAsync"/>.</returns>
    Task<bool> GiveBackAsync(BotEvent e, TimeSpan delay, bool terminate, string note, CancellationToken cancellation);
}

/// <summary>The events of an endpoint's own stream, which are acknowledged without an answer.</summary>
internal sealed class EndpointSettler(Action<BotEvent> acknowledge) : ISettler
{
    public ValueTask<bool> AcknowledgeAsync(BotEvent e, CancellationToken cancellation)
    {
        acknowledge(e);
        return ValueTask.FromResult(true);
    }

    public Task<bool> GiveBackAsync(BotEvent e, TimeSpan delay, bool terminate, string note, CancellationToken cancellation) =>
        throw new InvalidOperationException("Only an event of a subscription can be given back; acknowledge this one, or stop reading.");
}

/// <summary>Settles events of a subscription by calls: those that were pulled, and those whose stream has ended.</summary>
internal sealed class CallSettler(RelayClient client) : ISettler
{
    public async ValueTask<bool> AcknowledgeAsync(BotEvent e, CancellationToken cancellation)
    {
        var request = new AckSubscriptionRequest { Name = e.Message.Subscription, Cursors = { e.Message.Cursor } };
        await client.CallAsync(o => client.Subscriptions.AckSubscriptionAsync(request, o), cancellation);
        return true;
    }

    public async Task<bool> GiveBackAsync(BotEvent e, TimeSpan delay, bool terminate, string note, CancellationToken cancellation)
    {
        var request = new NackSubscriptionRequest
        {
            Name = e.Message.Subscription, Cursors = { e.Message.Cursor }, Terminate = terminate, Note = note,
            Delay = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(delay),
        };
        await client.CallAsync(o => client.Subscriptions.NackSubscriptionAsync(request, o), cancellation);
        return true;
    }
}
