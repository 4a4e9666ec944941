using Relay.V1;

namespace Relay.Client;

/// <summary>One event of a bot's stream.</summary>
public sealed class BotEvent
{
    private readonly Bot _bot;
    private readonly Action<BotEvent> _acknowledge;
    private int _replies;

    internal BotEvent(Bot bot, Event message, Action<BotEvent> acknowledge)
    {
        _bot = bot;
        Message = message;
        _acknowledge = acknowledge;
    }

    /// <summary>The event as the API has it: also what the members here do not show.</summary>
    public Event Message { get; }

    /// <summary><c>endpoints/{endpoint}</c></summary>
    public string Endpoint => Message.Endpoint;

    /// <summary><c>endpoints/{endpoint}/conversations/{conversation}</c></summary>
    public string Conversation => Message.Conversation;

    /// <summary>The peer's address.</summary>
    public string Peer => Message.Peer;

    /// <summary>The text that the peer wrote; null for other events.</summary>
    public string? Text => Message.TextReceived?.Text;

    /// <summary>True if the text came through a private session. Answer nothing confidential otherwise.</summary>
    public bool IsPrivate => Message.TextReceived?.Encrypted ?? false;

    /// <summary>
    /// This event, and every one before it at this endpoint, has been dealt with: the server forgets them. Until then it
    /// sends them again after a restart of the bot.
    /// </summary>
    public ValueTask AckAsync()
    {
        _acknowledge(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// Answers in the same conversation. The request id is made from the event, so a bot that was killed after answering
    /// and sees the event again answers once: give the same replies in the same order.
    /// </summary>
    /// <exception cref="RelayException">The message may not be sent: <see cref="RelayException.Reason"/> says why.</exception>
    public Task<SendMessageResponse> ReplyAsync(string text, CancellationToken cancellation = default) =>
        _bot.SendAsync(Conversation, text, $"reply-{Message.Sequence}-{Interlocked.Increment(ref _replies)}", cancellation);
}
