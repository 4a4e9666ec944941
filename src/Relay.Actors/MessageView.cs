using Relay.Storage.Sealing;

namespace Relay.Actors;

/// <summary>Where a bot's message is on its way to the peer. The numbers are stored.</summary>
public enum MessageStatus : byte
{
    /// <summary>It waits for a private session.</summary>
    Held = 1,
    /// <summary>It is encrypted; its wire text waits for the bridge.</summary>
    Encrypted = 2,
    /// <summary>It leaves unencrypted, as policy allows; its wire text waits for the bridge.</summary>
    Clear = 3,
    /// <summary>The network has all of its wire text. Never stored: the acknowledged position of the wire stream says so.</summary>
    Carried = 4,
    /// <summary>The peer's program has confirmed it.</summary>
    Delivered = 5,
    /// <summary>The network has refused it.</summary>
    Undeliverable = 6,
    /// <summary>It was held, and given up.</summary>
    Dropped = 7,
    /// <summary>It was held, and the bot took it back.</summary>
    Cancelled = 8,
}

/// <summary>A message that a bot has sent, as long as its request is remembered.</summary>
/// <param name="Id">A keyed hash of its request id: 26 characters of base32, lowercase.</param>
/// <param name="Status">The last known state.</param>
/// <param name="Reason">Why it was dropped or could not be delivered: a stable name; empty otherwise.</param>
/// <param name="Created">When it was accepted.</param>
/// <param name="Updated">When it came to its state, as far as that is stored: a carried one when it was encrypted.</param>
public sealed record MessageView(string Id, MessageStatus Status, string Reason, DateTimeOffset Created, DateTimeOffset Updated)
{
    /// <summary>True if nothing but a confirmation of the peer's program can come after it.</summary>
    public bool IsSettled => Status is not (MessageStatus.Held or MessageStatus.Encrypted or MessageStatus.Clear);
}

/// <summary>Names a message that was accepted.</summary>
/// <param name="Number">A keyed hash of its request id.</param>
/// <param name="CreatedMs">When it was accepted, in Unix ms.</param>
public readonly record struct SentReference(UInt128 Number, long CreatedMs)
{
    public string MessageId => KeyedIds.Base32(Number);
}

/// <summary>The messages of a conversation. Their states are bounded like the request ids that they come with, and have no text.</summary>
public interface IMessages
{
    /// <summary>All remembered messages of a conversation, the newest first.</summary>
    /// <exception cref="Storage.StoreException"/>
    ValueTask<MessagesReply> ListAsync(string endpointId, string conversationId, CancellationToken cancellation);

    /// <summary>One message; an empty list if it is not remembered.</summary>
    /// <exception cref="Storage.StoreException"/>
    ValueTask<MessagesReply> GetAsync(string endpointId, string conversationId, string messageId, CancellationToken cancellation);

    /// <summary>One message once it is settled, or as it is when the time is over.</summary>
    /// <exception cref="Storage.StoreException"/>
    ValueTask<MessagesReply> WaitAsync(
        string endpointId, string conversationId, string messageId, TimeSpan wait, CancellationToken cancellation);
}

/// <summary>The result of reading messages.</summary>
public abstract record MessagesReply
{
    public sealed record Found(IReadOnlyList<MessageView> Messages) : MessagesReply;

    /// <summary>There is no such conversation.</summary>
    public sealed record NoConversation : MessagesReply;

    /// <summary>A row of the conversation does not open.</summary>
    public sealed record Quarantined : MessagesReply;
}
