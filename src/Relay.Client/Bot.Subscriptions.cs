using System.Runtime.CompilerServices;
using Relay.Client.Streams;

namespace Relay.Client;

// The small loop over a subscription.
public sealed partial class Bot
{
    // Few, because their time for an acknowledgement begins when they are delivered.
    private const int DefaultCredit = 16;
    internal const int MaxCredit = 1000;

    /// <summary>
    /// Takes the events of a subscription, one after the other: in order for each conversation, each again until it is acknowledged, and
    /// shared with the subscription's other readers. Reconnects automatically. No more than 16 events come that are not settled.
    /// </summary>
    /// <param name="subscription"><c>endpoints/{endpoint}/subscriptions/{subscription}</c></param>
    /// <exception cref="RelayException">The server refuses permanently, for example because of the key or the name.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public IAsyncEnumerable<BotEvent> Subscription(string subscription, CancellationToken cancellation = default) =>
        Subscription(subscription, DefaultCredit, cancellation);

    /// <summary>As <see cref="Subscription(string, CancellationToken)"/>, with another credit.</summary>
    /// <param name="subscription"><c>endpoints/{endpoint}/subscriptions/{subscription}</c></param>
    /// <param name="credit">
    /// The number of events that may be unsettled at a time: 1 to 1000. When they are delivered, their time for an acknowledgement begins;
    /// when it is over, they come again.
    /// </param>
    /// <exception cref="RelayException">The server refuses permanently, for example because of the key or the name.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The credit is.</exception>
    public IAsyncEnumerable<BotEvent> Subscription(string subscription, int credit, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(credit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(credit, MaxCredit);
        return ReadAsync(subscription, credit, cancellation);
    }

    private async IAsyncEnumerable<BotEvent> ReadAsync(
        string subscription, int credit, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var reader = new SubscriptionReader(this, _client, subscription, credit, () => credit);
        using var closing = new CancellationTokenSource();
        var running = reader.RunAsync(closing.Token);
        try
        {
            while (true) yield return await reader.ReadAsync(cancellation);
        }
        finally
        {
            await closing.CancelAsync();
            await running;
        }
    }
}
