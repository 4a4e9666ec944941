using Relay.Actors.Conversations;
using Relay.Storage.Sealing;

namespace Relay.Actors.Subscriptions;

/// <summary>A request on its way to the entity of a subscription, which sends one <see cref="SubscriptionAnswer"/> back.</summary>
/// <param name="Key">The endpoint, and the subscription's name after <see cref="SubscriptionKeys.Mark"/>.</param>
internal sealed record SubscriptionCommand(
    ConversationKey Key, string RequestId, SubscriptionSettings Settings, SubscriptionRequest Request)
    : IConversationMessage
{
    public override string ToString() => $"SubscriptionCommand {{ {Request.GetType().Name} }}";
}

/// <summary>The entity's reply, with the request that it belongs to.</summary>
internal sealed record SubscriptionAnswer(ConversationKey Key, string RequestId, SubscriptionReply Reply)
{
    public override string ToString() => $"SubscriptionAnswer {{ {Reply.GetType().Name} }}";
}

/// <summary>Entities of subscriptions live in the region of the conversations; their ids are told apart by a mark.</summary>
internal static class SubscriptionKeys
{
    /// <summary>No conversation's id begins with it.</summary>
    public const char Mark = '~';

    public static ConversationKey Of(string endpointId, string name) => new(endpointId, Mark + name);

    public static bool IsSubscription(ConversationKey key) => key.ConversationId.StartsWith(Mark);

    public static string Name(ConversationKey key) => key.ConversationId[1..];
}

/// <summary>The form of these messages between nodes, inside the seal.</summary>
internal static class SubscriptionMessageCodec
{
    private const byte Pull = 1, Acknowledge = 2, Reject = 3, Release = 4, Describe = 5, ListDeadLetters = 6, RetryDeadLetters = 7,
        DropDeadLetters = 8, Seek = 9, Close = 10;
    private const byte Delivered = 1, Done = 2, Described = 3, ListedDeadLetters = 4, UnknownCursor = 5, Unavailable = 6;
    private const int CursorSize = 8, EventSize = 4 + 8 + 4, DeadLetterSize = 8 + 4 + 4 + 8 + 4;

    public static void Write(RowWriter row, SubscriptionCommand command)
    {
        row.Text(command.RequestId);
        WriteSettings(row, command.Settings);
        switch (command.Request)
        {
            case SubscriptionRequest.Pull pull:
                row.Byte(Pull);
                row.Text(pull.Reader);
                row.UInt32((uint)pull.Max);
                row.Int64(pull.Wait.Ticks);
                break;
            case SubscriptionRequest.Acknowledge acknowledge:
                row.Byte(Acknowledge);
                WriteCursors(row, acknowledge.Cursors);
                break;
            case SubscriptionRequest.Reject reject:
                row.Byte(Reject);
                WriteCursors(row, reject.Cursors);
                row.Int64(reject.Delay.Ticks);
                row.Bool(reject.IsFinal);
                row.Text(reject.Note);
                break;
            case SubscriptionRequest.Release release:
                row.Byte(Release);
                row.Text(release.Reader);
                break;
            case SubscriptionRequest.Describe:
                row.Byte(Describe);
                break;
            case SubscriptionRequest.Close:
                row.Byte(Close);
                break;
            case SubscriptionRequest.ListDeadLetters list:
                row.Byte(ListDeadLetters);
                row.UInt64(list.After);
                row.UInt32((uint)list.Max);
                break;
            case SubscriptionRequest.RetryDeadLetters retry:
                row.Byte(RetryDeadLetters);
                WriteCursors(row, retry.Cursors);
                break;
            case SubscriptionRequest.DropDeadLetters drop:
                row.Byte(DropDeadLetters);
                WriteCursors(row, drop.Cursors);
                break;
            case SubscriptionRequest.Seek seek:
                row.Byte(Seek);
                row.Bool(seek.Time is not null);
                if (seek.Time is { } time) row.Int64(time.ToUnixTimeMilliseconds());
                break;
            default:
                throw new ArgumentException($"A {command.Request.GetType().Name} has no form between nodes.", nameof(command));
        }
    }

    public static SubscriptionCommand? ReadCommand(ConversationKey key, ref RowReader row)
    {
        var id = row.Text();
        var settings = ReadSettings(ref row);
        SubscriptionRequest? request = row.Byte() switch
        {
            Pull => new SubscriptionRequest.Pull(row.Text(), (int)row.UInt32(), new TimeSpan(row.Int64())),
            Acknowledge => new SubscriptionRequest.Acknowledge(ReadCursors(ref row)),
            Reject => new SubscriptionRequest.Reject(ReadCursors(ref row), new TimeSpan(row.Int64()), row.Bool(), row.Text()),
            Release => new SubscriptionRequest.Release(row.Text()),
            Describe => new SubscriptionRequest.Describe(),
            Close => new SubscriptionRequest.Close(),
            ListDeadLetters => new SubscriptionRequest.ListDeadLetters(row.UInt64(), (int)row.UInt32()),
            RetryDeadLetters => new SubscriptionRequest.RetryDeadLetters(ReadCursors(ref row)),
            DropDeadLetters => new SubscriptionRequest.DropDeadLetters(ReadCursors(ref row)),
            Seek => new SubscriptionRequest.Seek(row.Bool() ? DateTimeOffset.FromUnixTimeMilliseconds(row.Int64()) : null),
            _ => null,
        };
        return request is null ? null : new SubscriptionCommand(key, id, settings, request);
    }

    public static void Write(RowWriter row, SubscriptionAnswer answer)
    {
        row.Text(answer.RequestId);
        switch (answer.Reply)
        {
            case SubscriptionReply.Delivered delivered:
                row.Byte(Delivered);
                row.UInt32((uint)delivered.Events.Count);
                foreach (var e in delivered.Events)
                {
                    SubscriptionCodec.WriteItem(row, e.Item);
                    row.UInt32((uint)e.Delivery);
                }
                row.Bool(delivered.IsCaughtUp);
                break;
            case SubscriptionReply.Done done:
                row.Byte(Done);
                row.UInt32((uint)done.Count);
                break;
            case SubscriptionReply.Described described:
                row.Byte(Described);
                row.UInt64(described.Pending);
                row.UInt32((uint)described.Unacknowledged);
                row.UInt32((uint)described.DeadLetters);
                WriteTime(row, described.Oldest);
                row.UInt32((uint)described.Readers);
                WriteTime(row, described.LastAcknowledged);
                WriteTime(row, described.LastRejected);
                row.Text(described.LastNote);
                break;
            case SubscriptionReply.ListedDeadLetters listed:
                row.Byte(ListedDeadLetters);
                row.UInt32((uint)listed.DeadLetters.Count);
                foreach (var letter in listed.DeadLetters)
                {
                    SubscriptionCodec.WriteItem(row, letter.Item);
                    row.UInt32((uint)letter.Deliveries);
                    row.Int64(letter.Time.ToUnixTimeMilliseconds());
                    row.Text(letter.Note);
                }
                row.Bool(listed.HasMore);
                break;
            case SubscriptionReply.UnknownCursor:
                row.Byte(UnknownCursor);
                break;
            case SubscriptionReply.Unavailable unavailable:
                row.Byte(Unavailable);
                row.Text(unavailable.Reason);
                break;
            default:
                throw new ArgumentException($"A {answer.Reply.GetType().Name} has no form between nodes.", nameof(answer));
        }
    }

    public static SubscriptionAnswer? ReadAnswer(ConversationKey key, ref RowReader row)
    {
        var id = row.Text();
        SubscriptionReply? reply = row.Byte() switch
        {
            Delivered => ReadDelivered(ref row),
            Done => new SubscriptionReply.Done((int)row.UInt32()),
            Described => new SubscriptionReply.Described(row.UInt64(), (int)row.UInt32(), (int)row.UInt32(), ReadTime(ref row),
                (int)row.UInt32()) { LastAcknowledged = ReadTime(ref row), LastRejected = ReadTime(ref row), LastNote = row.Text() },
            ListedDeadLetters => ReadListed(ref row),
            UnknownCursor => new SubscriptionReply.UnknownCursor(),
            Unavailable => new SubscriptionReply.Unavailable(row.Text()),
            _ => null,
        };
        return reply is null ? null : new SubscriptionAnswer(key, id, reply);
    }

    private static SubscriptionReply.Delivered? ReadDelivered(ref RowReader row)
    {
        var events = new DeliveredEvent[row.Count(EventSize)];
        for (int i = 0; i < events.Length; i++)
        {
            if (SubscriptionCodec.ReadItem(ref row) is not { } item) return null;
            events[i] = new DeliveredEvent(item, (int)row.UInt32());
        }
        return new SubscriptionReply.Delivered(events, row.Bool());
    }

    private static SubscriptionReply.ListedDeadLetters? ReadListed(ref RowReader row)
    {
        var letters = new DeadLetterView[row.Count(DeadLetterSize)];
        for (int i = 0; i < letters.Length; i++)
        {
            if (SubscriptionCodec.ReadItem(ref row) is not { } item) return null;
            letters[i] = new DeadLetterView(item, (int)row.UInt32(), DateTimeOffset.FromUnixTimeMilliseconds(row.Int64()), row.Text());
        }
        return new SubscriptionReply.ListedDeadLetters(letters, row.Bool());
    }

    /// <summary>Also the form in an endpoint's row.</summary>
    public static void WriteSettings(RowWriter row, SubscriptionSettings settings)
    {
        row.Text(settings.Name);
        row.Byte((byte)settings.Types);
        row.Int64(settings.AckWait.Ticks);
        row.UInt32((uint)settings.MaxDeliveries);
        row.Bool(settings.Webhook is not null);
        if (settings.Webhook is not { } webhook) return;
        row.Text(webhook.Url);
        row.Text(webhook.Secret);
        row.Bool(webhook.FormerSecret is not null);
        if (webhook.FormerSecret is { } former) row.Text(former);
    }

    public static SubscriptionSettings ReadSettings(ref RowReader row)
        => new(row.Text(), (EventTypes)row.Byte(), new TimeSpan(row.Int64()), (int)row.UInt32())
        {
            Webhook = row.Bool() ? new WebhookSettings(row.Text(), row.Text(), row.Bool() ? row.Text() : null) : null,
        };

    private static void WriteTime(RowWriter row, DateTimeOffset? time)
    {
        row.Bool(time is not null);
        if (time is { } known) row.Int64(known.ToUnixTimeMilliseconds());
    }

    private static DateTimeOffset? ReadTime(ref RowReader row)
        => row.Bool() ? DateTimeOffset.FromUnixTimeMilliseconds(row.Int64()) : null;

    private static void WriteCursors(RowWriter row, IReadOnlyList<ulong> cursors)
    {
        row.UInt32((uint)cursors.Count);
        foreach (var cursor in cursors) row.UInt64(cursor);
    }

    private static ulong[] ReadCursors(ref RowReader row)
    {
        var cursors = new ulong[row.Count(CursorSize)];
        for (int i = 0; i < cursors.Length; i++) cursors[i] = row.UInt64();
        return cursors;
    }
}
