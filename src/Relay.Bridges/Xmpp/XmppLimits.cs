namespace Relay.Bridges.Xmpp;

/// <summary>The bounds of the XMPP bridge.</summary>
internal static class XmppLimits
{
    /// <summary>Messages whose receipt is still awaited; beyond that the oldest stay without one.</summary>
    public const int MaxOpenReceipts = 10_000;

    /// <summary>
    /// Bytes of a body that is written. Prosody ends the component's stream at a stanza of 524,288 bytes, and escapes grow a text.
    /// </summary>
    public const int MaxBodyBytes = 256 * 1024;

    /// <summary>As <see cref="MaxBodyBytes"/>, of a client: both servers throw it out at a stanza of 262,144 bytes.</summary>
    public const int MaxClientBodyBytes = 240 * 1024;

    /// <summary>Stanzas that a server with stream management may leave without acknowledgement; beyond that the connection is renewed.</summary>
    public const int MaxUnacknowledged = 8192;

    /// <summary>Stanzas that may come before a client's session is complete.</summary>
    public const int MaxEarlyStanzas = 100;

    /// <summary>Characters of the id by which a session is resumed; XEP-0198 allows 4000 bytes.</summary>
    public const int MaxResumptionId = 4000;

    /// <summary>Time to connect and to be accepted by the server.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(20);

    /// <summary>How long nothing may be heard before the server is asked for an answer.</summary>
    public static readonly TimeSpan PingAfter = TimeSpan.FromSeconds(20);

    /// <summary>
    /// How long the server may take to answer; a second ping without an answer ends the connection: within a minute in all.
    /// </summary>
    public static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long a message waits for the confirmation that the server has it; longer than a dead connection stays unnoticed.
    /// </summary>
    public static readonly TimeSpan ConfirmWithin = TimeSpan.FromSeconds(90);

    /// <summary>A message that the server stored for longer is not new: offers of a session in it are out of date.</summary>
    public static readonly TimeSpan DelayedAfter = TimeSpan.FromMinutes(1);

    /// <summary>How long text of a session is held for a resource that is gone.</summary>
    public static readonly TimeSpan HoldForResource = TimeSpan.FromSeconds(30);

    /// <summary>Conversations whose resources are remembered; the one that was used least recently is forgotten.</summary>
    public const int MaxConversations = 50_000;

    /// <summary>Resources remembered for one conversation.</summary>
    public const int MaxResources = 16;

    /// <summary>Stanzas to addresses of no known endpoint that wait for Relay's answer; further ones are answered at once.</summary>
    public const int MaxWaitingForEndpoint = 200;

    /// <summary>How long they wait at most.</summary>
    public static readonly TimeSpan WaitForEndpoint = TimeSpan.FromSeconds(5);

    /// <summary>Answers that the bridge gives by itself to one peer in a minute (presence, iq, errors).</summary>
    public const int AutomaticPerMinute = 60;

    /// <summary>Sentences that the bridge writes by itself to one peer in a minute.</summary>
    public const int SentencesPerMinute = 1;

    /// <summary>Peers whose automatic answers are counted; beyond that none is given until the minute is over.</summary>
    public const int MaxCountedPeers = 20_000;
}
