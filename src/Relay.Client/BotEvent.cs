using System.Text;
using Relay.Client.Streams;
using Relay.V1;

namespace Relay.Client;

/// <summary>
/// An event that a bot received: a <see cref="TextEvent"/>, a <see cref="SessionEvent"/>, a <see cref="VerificationEvent"/>, or another one,
/// which <see cref="Message"/> tells.
/// </summary>
public class BotEvent
{
    private const int MaxNote = 500;
    private static readonly TimeSpan s_maxDelay = TimeSpan.FromDays(1);
    private readonly Bot _bot;
    private readonly ISettler _settler;
    private int _replies;

    private protected BotEvent(Bot bot, Event message, ISettler settler)
    {
        _bot = bot;
        Message = message;
        _settler = settler;
    }

    internal static BotEvent Of(Bot bot, Event message, ISettler settler) => message.EventCase switch
    {
        Event.EventOneofCase.TextReceived => new TextEvent(bot, message, settler),
        Event.EventOneofCase.SessionChanged => new SessionEvent(bot, message, settler),
        Event.EventOneofCase.VerificationChanged => new VerificationEvent(bot, message, settler),
        Event.EventOneofCase.FileChanged => new FileEvent(bot, message, settler),
        _ => new BotEvent(bot, message, settler),
    };

    /// <summary>The bot that received the event, for further requests.</summary>
    public Bot Bot => _bot;

    /// <summary>The event as an API message, with the fields that this class does not expose.</summary>
    public Event Message { get; }

    /// <summary><c>endpoints/{endpoint}</c></summary>
    public string Endpoint => Message.Endpoint;

    /// <summary><c>endpoints/{endpoint}/conversations/{conversation}</c></summary>
    public string Conversation => Message.Conversation;

    /// <summary>The peer's address.</summary>
    public string Peer => Message.Peer;

    /// <summary>
    /// The text as the peer sent it, or, if its program writes HTML, the text that the HTML shows; null for other events. It may contain
    /// any character, also ones that move a terminal's cursor or reorder what is shown: use <see cref="CleanText"/> for logs, terminals
    /// and pages.
    /// </summary>
    public string? Text => Message.TextReceived?.Text;

    /// <summary>
    /// The text for display; null for other events. Control characters (U+0000 to U+001F and U+007F to U+009F) other than tab and line ends
    /// are removed, and so are the characters that embed, override or isolate a direction of writing (U+202A to U+202E, U+2066 to U+2069).
    /// Every line end is a line feed. It is not escaped for HTML or any other language.
    /// </summary>
    public string? CleanText => Text is { } text ? Clean(text) : null;

    /// <summary>True if the text was received in a private session. Otherwise, reply with nothing confidential.</summary>
    public bool IsPrivate => Message.TextReceived?.Encrypted ?? false;

    /// <summary>
    /// True if the key that the text came with was verified. Until then anybody may be the peer, however private the session is.
    /// </summary>
    public bool IsVerified => Message.TextReceived?.PeerVerified ?? false;

    /// <summary>
    /// True if the peer's key took another's place and nobody has decided about it (<c>Policy.key_change</c> is <c>HOLD</c>): the text may
    /// be somebody else's, and replies wait until the key is accepted (<see cref="Relay.Client.Bot.AcceptKeyAsync"/>) or refused.
    /// </summary>
    public bool IsKeyHeld => Message.TextReceived?.KeyHeld ?? Message.SessionChanged?.Session.KeyHeld ?? false;

    /// <summary>
    /// The verification that began to wait for an answer, or has ended; null for other events. Answer one that is
    /// <see cref="Verification.Types.State.WaitingForAnswer"/> with <see cref="AnswerAsync"/>.
    /// </summary>
    public Verification? Verification => Message.VerificationChanged?.Verification;

    private static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            // CR LF is one line end; NEXT LINE is one of Unicode's and a control character at once.
            if (c is '\r' && i + 1 < text.Length && text[i + 1] is '\n') continue;
            if (c is '\r' or '\u0085') clean.Append('\n');
            else if (c is '\n' or '\t') clean.Append(c);
            else if (!char.IsControl(c) && c is not ((>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069'))) clean.Append(c);
        }
        return clean.ToString();
    }

    /// <summary>
    /// 1 for the first delivery of an event of a subscription, 2 for the second, …; 0 for an event of an endpoint's own stream.
    /// </summary>
    public int Delivery => Message.Delivery;

    /// <summary>What was asked of the server last, whether it has taken that or not.</summary>
    internal Settlement Settlement { get; private set; }

    /// <summary>True if the stream that it came on has ended: the server delivers it again, unless it is acknowledged.</summary>
    public bool IsGivenBack => _settler is SubscribeConnection { HasEnded: true };

    private bool IsOfSubscription => Message.Subscription.Length > 0;

    /// <summary>Identifies the event among all of its endpoint's streams.</summary>
    private string Id => IsOfSubscription
        ? $"{Message.Subscription[(Message.Subscription.LastIndexOf('/') + 1)..]}-{Message.Cursor}" : $"{Message.Sequence}";

    /// <summary>
    /// Acknowledges this event; of an endpoint's own stream also all earlier ones. The server delivers unacknowledged events again: those
    /// of a subscription at the end of the reader's stream, or after the time for acknowledgements, the others after a restart of the bot.
    /// </summary>
    /// <returns>True once it is stored; false if the event was settled or given back before, so that there was nothing to do.</returns>
    /// <exception cref="RelayException">Of a subscription: the server did not take it; the event comes again.</exception>
    public ValueTask<bool> AckAsync(CancellationToken cancellation = default)
    {
        Settlement = Settlement.Final;
        return _settler.AcknowledgeAsync(this, cancellation);
    }

    /// <summary>
    /// Gives an event of a subscription back, to be delivered again after a delay; after too many deliveries it becomes a dead letter.
    /// </summary>
    /// <param name="delay">At most one day.</param>
    /// <param name="note">Why, for people who look at the dead letter: at most 500 characters.</param>
    /// <returns>True once it is stored; false if the event was settled or given back before: by the end of the reader's stream, too.</returns>
    /// <exception cref="InvalidOperationException">The event is not of a subscription.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The delay is negative or longer than a day, or the note too long.</exception>
    /// <exception cref="RelayException">The server did not take it; the event comes again after the time for acknowledgements.</exception>
    public Task<bool> NackAsync(TimeSpan delay = default, string note = "", CancellationToken cancellation = default) =>
        GiveBackAsync(delay, false, note, cancellation);

    /// <summary>Sets an event of a subscription aside as a dead letter: it is not delivered again unless somebody asks for it.</summary>
    /// <param name="note">As for <see cref="NackAsync"/>.</param>
    /// <returns>True once it is stored; false if the event was settled or given back before.</returns>
    /// <exception cref="InvalidOperationException">The event is not of a subscription.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The note is too long.</exception>
    /// <exception cref="RelayException">The server did not take it; the event comes again after the time for acknowledgements.</exception>
    public Task<bool> SetAsideAsync(string note = "", CancellationToken cancellation = default) =>
        GiveBackAsync(TimeSpan.Zero, true, note, cancellation);

    private Task<bool> GiveBackAsync(TimeSpan delay, bool terminate, string note, CancellationToken cancellation)
    {
        // Not left to the server, which would end the stream for it, and so give back whatever else the bot has.
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(delay, s_maxDelay);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(note.Length, MaxNote, nameof(note));
        Settlement = terminate ? Settlement.Final : Settlement.GivenBack;
        return _settler.GiveBackAsync(this, delay, terminate, note, cancellation);
    }

    /// <summary>
    /// Begins to verify the peer by a secret or a question (SMP), once for each event. The result comes as a
    /// <see cref="VerificationEvent"/>.
    /// </summary>
    /// <param name="secret">Compared byte by byte with what the peer enters: agree on case and blanks.</param>
    /// <param name="question">What the peer is asked; null: for the secret itself.</param>
    /// <returns>Whether it was begun; a refusal is a value, see <see cref="Outcome{T}"/>.</returns>
    /// <exception cref="RelayException">The cause is the key, the request or the server, not the conversation.</exception>
    public Task<Outcome<Verification>> VerifyAsync(string secret, string? question = null, CancellationToken cancellation = default) =>
        _bot.VerifyAsync(Conversation, secret, question, $"verify-{Id}", cancellation);

    /// <summary>
    /// Answers the peer's verification with the shared secret, once for each event: a repetition gets the first answer.
    /// </summary>
    /// <returns>Whether the answer was taken; a refusal is a value, see <see cref="Outcome{T}"/>.</returns>
    /// <exception cref="InvalidOperationException">The event is not a verification.</exception>
    /// <exception cref="RelayException">The cause is the key, the request or the server, not the conversation.</exception>
    public Task<Outcome<Verification>> AnswerAsync(string secret, CancellationToken cancellation = default) =>
        Verification is { } asked
            ? _bot.AnswerVerificationAsync(asked.Name, secret, $"answer-{Id}", cancellation)
            : throw new InvalidOperationException("This event is not a verification.");

    /// <summary>
    /// Replies in the same conversation. The idempotency key is derived from the event and the number of the reply, so that a bot that is
    /// killed after replying does not reply twice, provided that it sends its replies to an event in the same order. If it then replies
    /// with another text, that one is refused (<c>REQUEST_ID_REUSED</c>), because the first is on its way.
    /// </summary>
    /// <returns>Whether the message was accepted; a refusal is a value, see <see cref="Outcome{T}"/>.</returns>
    /// <exception cref="RelayException">The cause is the key, the request or the server, not the conversation.</exception>
    public Task<Outcome<SendMessageResponse>> ReplyAsync(string text, CancellationToken cancellation = default) =>
        _bot.ReplyAsync(Conversation, text, $"reply-{Id}-{Interlocked.Increment(ref _replies)}", cancellation);
}

/// <summary>What a bot has done with an event of a subscription: nothing, given it back, or acknowledged it or set it aside.</summary>
internal enum Settlement { None, GivenBack, Final }
