using System.Globalization;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Relay.Actors;
using Relay.Actors.Subscriptions;
using EventType = Relay.V1.Subscription.Types.EventType;

namespace Relay.Gateway.Api;

/// <summary>Converts subscriptions, their events and cursors to messages of the API and back.</summary>
internal static class SubscriptionMapping
{
    private static readonly (EventType Message, EventTypes Type)[] s_types =
    [
        (EventType.TextReceived, EventTypes.TextReceived), (EventType.SessionChanged, EventTypes.SessionChanged),
        (EventType.MessageDropped, EventTypes.MessageDropped), (EventType.Notice, EventTypes.Notice),
        (EventType.VerificationChanged, EventTypes.VerificationChanged), (EventType.IdentityChanged, EventTypes.IdentityChanged),
    ];

    public static V1.Subscription ToMessage(string endpointId, SubscriptionSettings settings)
    {
        var message = new V1.Subscription
        {
            Name = ResourceNames.Subscription(endpointId, settings.Name),
            AckWait = settings.AckWait.ToDuration(),
            MaxDeliveries = settings.MaxDeliveries,
        };
        if (settings.Types != EventTypes.All)
            message.Types_.AddRange(s_types.Where(t => settings.Types.HasFlag(t.Type)).Select(t => t.Message));
        return message;
    }

    public static V1.Subscription ToMessage(
        string endpointId, SubscriptionSettings settings, SubscriptionReply.Described described, DateTimeOffset now)
    {
        var message = ToMessage(endpointId, settings);
        message.Pending = described.Pending;
        message.Unacknowledged = described.Unacknowledged;
        message.DeadLetters = described.DeadLetters;
        message.Readers = described.Readers;
        if (described.Oldest is { } oldest) message.OldestAge = (now > oldest ? now - oldest : TimeSpan.Zero).ToDuration();
        return message;
    }

    /// <param name="prefix">Of the names of the fields, for violations.</param>
    public static SubscriptionSettings ToSettings(string name, V1.Subscription message, string prefix, Violations violations)
    {
        var types = EventTypes.None;
        foreach (var type in message.Types_)
        {
            var known = Array.Find(s_types, t => t.Message == type).Type;
            violations.AddIf(known == EventTypes.None, prefix + "types", "has a value that is not known");
            types |= known;
        }
        var wait = message.AckWait is null
            ? RelayLimits.DefaultAckWait : RequestDurations.Within(message.AckWait, RelayLimits.MaxAckWait);
        violations.AddIf(!(wait >= RelayLimits.MinAckWait), prefix + "ack_wait", "must be one second to one hour");
        int deliveries = message.HasMaxDeliveries ? message.MaxDeliveries : RelayLimits.DefaultMaxDeliveries;
        violations.AddIf(deliveries is < 0 or > RelayLimits.MaxMaxDeliveries, prefix + "max_deliveries",
            $"must be 0 to {RelayLimits.MaxMaxDeliveries}");
        return new SubscriptionSettings(name, types == EventTypes.None ? EventTypes.All : types, wait ?? default, deliveries);
    }

    public static V1.Event ToMessage(string endpointId, string subscription, OutboxItem item, int delivery)
    {
        var message = Mapping.Event(endpointId, item);
        message.Subscription = ResourceNames.Subscription(endpointId, subscription);
        message.Cursor = Cursor(item.Sequence);
        message.Delivery = delivery;
        return message;
    }

    public static string Cursor(ulong sequence) => sequence.ToString(CultureInfo.InvariantCulture);

    /// <param name="least">Number of cursors that there must be.</param>
    public static IReadOnlyList<ulong> Cursors(RepeatedField<string> cursors, int least, Violations violations)
    {
        if (cursors.Count < least || cursors.Count > RelayLimits.SubscriptionWindow)
        {
            violations.Add("cursors", $"must be {least} to {RelayLimits.SubscriptionWindow}");
            return [];
        }
        var parsed = new List<ulong>(cursors.Count);
        foreach (var cursor in cursors)
        {
            if (ulong.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out ulong sequence) && sequence > 0)
                parsed.Add(sequence);
            else
            {
                violations.Add("cursors", "has one that was not issued by this server");
                return [];
            }
        }
        return parsed;
    }
}
