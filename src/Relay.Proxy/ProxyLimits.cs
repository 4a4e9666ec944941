namespace Relay.Proxy;

/// <summary>The bounds of the OTR proxy.</summary>
internal static class ProxyLimits
{
    /// <summary>Texts to one contact that wait for a private session; further ones are refused.</summary>
    public const int HeldTexts = 20;

    /// <summary>How long a text waits for a private session; then it is dropped and the person is told.</summary>
    public static readonly TimeSpan HeldFor = TimeSpan.FromMinutes(2);

    /// <summary>
    /// Least time between two offers of a session to one contact that texts cause: more than an exchange takes on a slow network, for an offer in
    /// the middle of one begins it again.
    /// </summary>
    public static readonly TimeSpan OfferInterval = TimeSpan.FromSeconds(30);

    /// <summary>Contacts with state of their own; further ones stay in the clear, and a private session with them is refused.</summary>
    public const int Contacts = 4_096;

    /// <summary>Addresses that the server has spelt; the set is emptied when it is full.</summary>
    public const int SeenAddresses = 20_000;

    /// <summary>Wire texts that are remembered, to recognise the copy that another of the person's connections gets.</summary>
    public const int RecentWires = 256;

    /// <summary>Characters of a peer's own words in a notice.</summary>
    public const int QuotedCharacters = 300;

    /// <summary>Notices about unreadable messages, for each contact and minute.</summary>
    public const int ComplaintsPerMinute = 3;

    /// <summary>Clients that are connected at once.</summary>
    public const int Clients = 16;

    /// <summary>Bytes that wait to be written in one direction; nothing is read for it meanwhile.</summary>
    public const int QueuedBytes = 4 * 1024 * 1024;

    /// <summary>How long a client may take to log in.</summary>
    public static readonly TimeSpan LoginTimeout = TimeSpan.FromSeconds(60);

    /// <summary>Time for TLS with a server and a login before the client's.</summary>
    public static readonly TimeSpan UpstreamTimeout = TimeSpan.FromSeconds(30);

    /// <summary>How often deadlines are looked at.</summary>
    public static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    /// <summary>Time after which a reader that waits for room looks again by itself.</summary>
    public static readonly TimeSpan RoomRecheck = TimeSpan.FromMilliseconds(200);

    /// <summary>Time for what still waits to be written when a session ends.</summary>
    public static readonly TimeSpan LastWrites = TimeSpan.FromSeconds(1);

    /// <summary>Age beyond which a stored message is not acted upon.</summary>
    public static readonly TimeSpan DelayedAfter = TimeSpan.FromMinutes(1);

    /// <summary>Bytes of text in one IRC line to the contact: fits with every prefix.</summary>
    public const int IrcWireBytes = 350;

    /// <summary>Bytes of text in one IRC line to the client.</summary>
    public const int IrcShownBytes = 400;

    /// <summary>Bytes of a nick that private state is kept for.</summary>
    public const int IrcNickBytes = 64;

    /// <summary>Lines of a client that wait until it has said who it is.</summary>
    public const int IrcLoginLines = 16;

    /// <summary>Capabilities of a server that are remembered.</summary>
    public const int IrcCapabilities = 512;

    /// <summary>OTR lines that wait to leave; nothing is read from the client meanwhile.</summary>
    public const int IrcQueuedLines = 256;

    /// <summary>Open batches of history that are followed.</summary>
    public const int IrcBatches = 64;

    /// <summary>Bytes of a SASL message, in base64.</summary>
    public const int IrcSaslBytes = 8_192;

    /// <summary>Bytes of a SASL message in one line.</summary>
    public const int IrcSaslPiece = 400;

    /// <summary>OTR lines that leave at once to an IRC server, and then one for each <see cref="IrcLineInterval"/>.</summary>
    public const int IrcBurst = 5;

    /// <inheritdoc cref="IrcBurst"/>
    public static readonly TimeSpan IrcLineInterval = TimeSpan.FromMilliseconds(700);
}
