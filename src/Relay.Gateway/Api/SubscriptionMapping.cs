using System.Globalization;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Relay.Actors;
using Relay.Actors.Subscriptions;
using Relay.Gateway.Hosting;
using Relay.Gateway.Webhooks;
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
        (EventType.MessageChanged, EventTypes.MessageChanged), (EventType.FileChanged, EventTypes.FileChanged),
    ];

    public static V1.Subscription ToMessage(string endpointId, SubscriptionSettings settings)
    {
        var message = new V1.Subscription
        {
            Name = ResourceNames.Subscription(endpointId, settings.Name),
            AckWait = settings.AckWait.ToDuration(),
            MaxDeliveries = settings.MaxDeliveries,
        };
        if (settings.Webhook is { } webhook) message.Webhook = new V1.Webhook { Url = webhook.Url };
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
        message.LastAckTime = described.LastAcknowledged?.ToTimestamp();
        message.LastNackTime = described.LastRejected?.ToTimestamp();
        message.LastNackNote = described.LastNote;
        if (described.Oldest is { } oldest) message.OldestAge = (now > oldest ? now - oldest : TimeSpan.Zero).ToDuration();
        return message;
    }

    /// <summary>The webhook after a change.</summary>
    /// <param name="asked">Null: there shall be none.</param>
    /// <param name="current">Null: there was none.</param>
    /// <param name="isNewSecret">An empty secret means a new one, and not the present one.</param>
    public static WebhookSettings? ToWebhook(
        V1.Webhook? asked, WebhookSettings? current, bool isNewSecret, string prefix, Violations violations)
    {
        if (asked is null) return null;
        bool isUrl = asked.Url.Length <= GatewayLimits.MaxWebhookUrlLength && Uri.TryCreate(asked.Url, UriKind.Absolute, out var url)
            && url.Scheme is "https" or "http" && url.UserInfo.Length == 0 && url.Fragment.Length == 0;
        violations.AddIf(!isUrl, prefix + "webhook.url", "must be https://…, without a user name");
        violations.AddIf(asked.Secret.Length > 0 && WebhookSignature.TryParseSecret(asked.Secret) is null, prefix + "webhook.secret",
            "must be whsec_ and 24 to 64 bytes in base64");
        var secret = asked.Secret.Length > 0 ? asked.Secret
            : current is null || isNewSecret ? WebhookSignature.MakeSecret() : current.Secret;
        return current is null || secret == current.Secret
            ? new WebhookSettings(asked.Url, secret, current?.FormerSecret) : new WebhookSettings(asked.Url, secret, current.Secret);
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

    public static SubscriptionRequest.Reject ToReject(
        RepeatedField<string> cursors, Duration? delay, bool terminate, string note, Violations violations)
    {
        var known = Cursors(cursors, 1, violations);
        var wait = delay is null ? TimeSpan.Zero : RequestDurations.Within(delay, RelayLimits.MaxRedeliveryDelay);
        violations.AddIf(wait is null, "delay", "must be zero to one day");
        violations.AddIf(note.Length > RelayLimits.MaxRejectNote, "note", $"must have at most {RelayLimits.MaxRejectNote} characters");
        return new SubscriptionRequest.Reject(known, wait ?? TimeSpan.Zero, terminate, note);
    }

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
