namespace Relay.Actors.Subscriptions;

/// <summary>
/// The named subscriptions of endpoints. Events are delivered at least once, and in order for each conversation: the next event of a
/// conversation comes when the one before is acknowledged, or has become a dead letter. Several readers of one subscription compete.
/// </summary>
public interface ISubscriptions
{
    /// <summary>Creates a subscription, or changes its settings. It gets the events from about now on.</summary>
    ValueTask<SubscriptionChange> SaveAsync(string endpointId, SubscriptionSettings settings, bool create, CancellationToken cancellation);

    /// <summary>Deletes a subscription with the events that wait in it. Idempotent.</summary>
    ValueTask<SubscriptionChange> DeleteAsync(string endpointId, string name, CancellationToken cancellation);

    /// <summary>Asks the subscription.</summary>
    ValueTask<SubscriptionReply> AskAsync(string endpointId, SubscriptionSettings settings, SubscriptionRequest request,
        CancellationToken cancellation);
}

/// <summary>The result of creating, changing or deleting a subscription.</summary>
public enum SubscriptionChange
{
    Done,
    NoEndpoint,
    /// <summary>To be created: there is one of that name. To be changed: there is none.</summary>
    WrongName,
    /// <summary>The endpoint has <see cref="RelayLimits.MaxSubscriptions"/>.</summary>
    TooMany,
    Unavailable,
}

/// <summary>A request to a subscription. A cursor is the event's sequence in the subscription's stream.</summary>
public abstract record SubscriptionRequest
{
    /// <summary>Takes events; waits for the first.</summary>
    /// <param name="Reader">Identifies the reader; a pull replaces its earlier one.</param>
    /// <param name="Wait">At most <see cref="RelayLimits.MaxSubscriptionWait"/>.</param>
    public sealed record Pull(string Reader, int Max, TimeSpan Wait) : SubscriptionRequest;

    /// <summary>Settles events: they are not delivered again.</summary>
    public sealed record Acknowledge(IReadOnlyList<ulong> Cursors) : SubscriptionRequest;

    /// <summary>Gives events back.</summary>
    /// <param name="Delay">Time until the next delivery.</param>
    /// <param name="IsFinal">They become dead letters at once.</param>
    /// <param name="Note">Why, for the dead letter; never printed.</param>
    public sealed record Reject(IReadOnlyList<ulong> Cursors, TimeSpan Delay, bool IsFinal, string Note) : SubscriptionRequest
    {
        public override string ToString() => nameof(Reject);
    }

    /// <summary>The reader has gone: what it has not acknowledged is delivered again.</summary>
    public sealed record Release(string Reader) : SubscriptionRequest;

    public sealed record Describe : SubscriptionRequest;

    /// <summary>The subscription is deleted: who waits is told so.</summary>
    public sealed record Close : SubscriptionRequest;

    public sealed record ListDeadLetters(ulong After, int Max) : SubscriptionRequest;

    /// <summary>Delivers dead letters again. An empty list: all.</summary>
    public sealed record RetryDeadLetters(IReadOnlyList<ulong> Cursors) : SubscriptionRequest;

    /// <summary>Deletes dead letters. An empty list: all.</summary>
    public sealed record DropDeadLetters(IReadOnlyList<ulong> Cursors) : SubscriptionRequest;

    /// <summary>Settles what is older than a time; null: everything that is there.</summary>
    public sealed record Seek(DateTimeOffset? Time) : SubscriptionRequest;
}

public abstract record SubscriptionReply
{
    /// <param name="IsCaughtUp">There were no further events when the request was answered.</param>
    public sealed record Delivered(IReadOnlyList<DeliveredEvent> Events, bool IsCaughtUp) : SubscriptionReply;

    /// <summary>Durable.</summary>
    /// <param name="Count">Events or dead letters that it concerned.</param>
    public sealed record Done(int Count) : SubscriptionReply;

    /// <param name="Pending">Events that are not settled.</param>
    /// <param name="Unacknowledged">Of these, those that a reader has.</param>
    /// <param name="DeadLetters">Events that were set aside.</param>
    /// <param name="Oldest">The time of the oldest pending event; null if there is none.</param>
    /// <param name="Readers">Readers that wait, or hold events.</param>
    public sealed record Described(ulong Pending, int Unacknowledged, int DeadLetters, DateTimeOffset? Oldest, int Readers)
        : SubscriptionReply
    {
        /// <summary>The latest acknowledgement since the subscription was last loaded; null if there was none.</summary>
        public DateTimeOffset? LastAcknowledged { get; init; }

        /// <summary>As <see cref="LastAcknowledged"/>, of the events that were given back.</summary>
        public DateTimeOffset? LastRejected { get; init; }

        /// <summary>What the reader said then; never printed.</summary>
        public string LastNote { get; init; } = "";

        public override string ToString() => $"Described {{ {Pending}, {Unacknowledged}, {DeadLetters}, {Oldest}, {Readers} }}";
    }

    public sealed record ListedDeadLetters(IReadOnlyList<DeadLetterView> DeadLetters, bool HasMore) : SubscriptionReply;

    /// <summary>A cursor is beyond what was delivered; nothing was done.</summary>
    public sealed record UnknownCursor : SubscriptionReply;

    /// <summary>It is not known whether it was done; ask again.</summary>
    public sealed record Unavailable(string Reason) : SubscriptionReply;
}

/// <param name="Delivery">1 for the first delivery.</param>
public sealed record DeliveredEvent(OutboxItem Item, int Delivery);

/// <param name="Deliveries">How often it was delivered.</param>
/// <param name="Time">When it was set aside.</param>
/// <param name="Note">What the reader said; never printed.</param>
public sealed record DeadLetterView(OutboxItem Item, int Deliveries, DateTimeOffset Time, string Note)
{
    public override string ToString() => nameof(DeadLetterView);
}
