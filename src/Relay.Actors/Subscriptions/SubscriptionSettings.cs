using System.Collections;

namespace Relay.Actors.Subscriptions;

/// <summary>Kinds of events, of which a subscription gets some. The numbers are stored.</summary>
[Flags]
public enum EventTypes : byte
{
    None = 0,
    TextReceived = 1,
    SessionChanged = 2,
    MessageDropped = 4,
    Notice = 8,
    VerificationChanged = 16,
    IdentityChanged = 32,
    MessageChanged = 64,
    FileChanged = 128,
    All = TextReceived | SessionChanged | MessageDropped | Notice | VerificationChanged | IdentityChanged | MessageChanged | FileChanged,
}

/// <summary>A named reader of an endpoint's events, with a stream and a memory of its own.</summary>
/// <param name="Name">Unique within the endpoint.</param>
/// <param name="Types">The events that it gets.</param>
/// <param name="AckWait">Time after which an event that was delivered and not acknowledged is delivered again.</param>
/// <param name="MaxDeliveries">Deliveries after which an event becomes a dead letter; 0: never.</param>
public sealed record SubscriptionSettings(string Name, EventTypes Types, TimeSpan AckWait, int MaxDeliveries)
{
    /// <summary>Where its events are posted; null: its readers take them.</summary>
    public WebhookSettings? Webhook { get; init; }

    /// <summary>The kind of an event.</summary>
    internal static EventTypes TypeOf(OutboxBody body) => body switch
    {
        OutboxBody.TextReceived => EventTypes.TextReceived,
        OutboxBody.SessionChanged => EventTypes.SessionChanged,
        OutboxBody.MessageDropped => EventTypes.MessageDropped,
        OutboxBody.Notice => EventTypes.Notice,
        OutboxBody.VerificationChanged => EventTypes.VerificationChanged,
        OutboxBody.IdentityChanged => EventTypes.IdentityChanged,
        OutboxBody.MessageChanged => EventTypes.MessageChanged,
        OutboxBody.FileChanged => EventTypes.FileChanged,
        _ => throw new ArgumentException($"A {body.GetType().Name} is not an event.", nameof(body)),
    };
}

/// <summary>Where the events of a subscription are posted.</summary>
/// <param name="Url">Absolute.</param>
/// <param name="Secret">The key of the signatures, as the receiver has it: <c>whsec_</c> and base64.</param>
/// <param name="FormerSecret">The one before, which signs too; null if it was not changed.</param>
public sealed record WebhookSettings(string Url, string Secret, string? FormerSecret)
{
    /// <summary>Prints the type only: addresses and secrets stay out of logs.</summary>
    public override string ToString() => nameof(WebhookSettings);
}

/// <summary>The subscriptions of an endpoint, compared by content.</summary>
public sealed class SubscriptionList(params IEnumerable<SubscriptionSettings> subscriptions)
    : IReadOnlyList<SubscriptionSettings>, IEquatable<SubscriptionList>
{
    private readonly SubscriptionSettings[] _subscriptions = [.. subscriptions];

    public static SubscriptionList Empty { get; } = new();

    public int Count => _subscriptions.Length;

    public SubscriptionSettings this[int index] => _subscriptions[index];

    /// <returns>Null if there is none of that name.</returns>
    public SubscriptionSettings? Find(string name) => Array.Find(_subscriptions, s => s.Name == name);

    /// <summary>The list with a subscription added, or replaced by its name.</summary>
    public SubscriptionList With(SubscriptionSettings subscription)
        => Find(subscription.Name) is null
            ? new([.. _subscriptions, subscription])
            : new(_subscriptions.Select(s => s.Name == subscription.Name ? subscription : s));

    public SubscriptionList Without(string name) => new(_subscriptions.Where(s => s.Name != name));

    public bool Equals(SubscriptionList? other) => other is not null && _subscriptions.AsSpan().SequenceEqual(other._subscriptions);

    public override bool Equals(object? obj) => Equals(obj as SubscriptionList);

    public override int GetHashCode() => _subscriptions.Length == 0 ? 0 : HashCode.Combine(_subscriptions.Length, _subscriptions[0]);

    public IEnumerator<SubscriptionSettings> GetEnumerator() => ((IEnumerable<SubscriptionSettings>)_subscriptions).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
