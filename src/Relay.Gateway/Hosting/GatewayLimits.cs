using Otr.Core;
using Relay.Actors;
using Relay.Actors.Files;

namespace Relay.Gateway.Hosting;

/// <summary>All limits, timeouts and polling intervals of the gateway.</summary>
public static class GatewayLimits
{
    /// <summary>Maximum length of a request id, and of a bridge's message id, in bytes of UTF-8.</summary>
    public const int MaxRequestIdBytes = RelayLimits.MaxRequestIdBytes;
    /// <summary>Maximum length of a peer address, in bytes of UTF-8: the maximum of an XMPP address.</summary>
    public const int MaxPeerBytes = RelayLimits.MaxAddressBytes;
    /// <summary>Maximum length of a network's name, in bytes of UTF-8.</summary>
    public const int MaxNetworkBytes = 63;
    /// <summary>Maximum length of an account, in bytes of UTF-8.</summary>
    public const int MaxAccountBytes = 1023;
    /// <summary>Maximum length of an endpoint's id, in characters.</summary>
    public const int MaxEndpointIdLength = 63;
    /// <summary>Maximum length of a text that a bot may send, in bytes of UTF-8.</summary>
    public const int MaxTextBytes = 65_000;
    /// <summary>
    /// Maximum length of an inbound wire text, in bytes: whatever Relay sends, it accepts. A longer one, up to
    /// <see cref="MaxReceiveMessageBytes"/>, is rejected by its conversation, which tells the bot and the sender.
    /// </summary>
    public const int MaxWireBytes = OtrLimits.MaxWireBytes;
    /// <summary>
    /// Minimum of an endpoint's max_wire_bytes, the octets of one SMS: a fragment's header and some text must fit, and each OTR error.
    /// </summary>
    public const int MinWireLimitBytes = 140;
    /// <summary>Maximum size of an imported libotr key file, in bytes.</summary>
    public const int MaxKeyFileBytes = 64 * 1024;
    /// <summary>Former keys that an endpoint is shown with.</summary>
    public const int MaxFormerIdentities = 10;
    /// <summary>Minimum and maximum length of the passphrase of an export, in bytes of UTF-8.</summary>
    public const int MinPassphraseBytes = 8, MaxPassphraseBytes = SealedFile.MaxPassphraseBytes;
    /// <summary>Maximum size of a part of an export: what one message can carry beside its other fields.</summary>
    public const int MaxExportPartBytes = MaxReceiveMessageBytes - 8 * 1024;
    /// <summary>Bytes of a file or blob in one response.</summary>
    public const int MaxFileReadBytes = 2 * FileLimits.PortionBytes;
    /// <summary>
    /// Requests of one address for blobs by link in a second, of which twice as many may come at once; how many of them may be under way;
    /// and how many of all addresses. When reached: 429.
    /// </summary>
    public const int BlobRequestsPerSecond = 50, BlobDownloadsPerAddress = 64, BlobDownloads = 512;
    /// <summary>Items per page if the request does not specify a size.</summary>
    public const int DefaultPageSize = 100;
    /// <summary>Maximum number of items per page.</summary>
    public const int MaxPageSize = 1000;
    /// <summary>Maximum size of a pulled page, in bytes; a single larger item is returned alone.</summary>
    public const int MaxPullBytes = 3 * 1024 * 1024;

    /// <summary>Time for which a rotated key's old secret stays valid if the request does not say.</summary>
    public static readonly TimeSpan KeyOverlap = TimeSpan.FromDays(1);
    /// <summary>Longest time for which it may.</summary>
    public static readonly TimeSpan MaxKeyOverlap = TimeSpan.FromDays(30);
    /// <summary>Largest limit of calls in a second, and of endpoints created in a day, that a caller may have.</summary>
    public const int MaxCallRate = 1_000_000;
    /// <summary>Largest limit of open streams that a caller may have.</summary>
    public const int MaxCallerStreams = 100_000;
    /// <summary>Time after which a key expires if the request does not say.</summary>
    public static readonly TimeSpan KeyLife = TimeSpan.FromDays(365);
    /// <summary>Interval at which the hours of the keys' last use are written.</summary>
    public static readonly TimeSpan KeyUseInterval = TimeSpan.FromMinutes(10);
    /// <summary>Minimum time between reads of a token issuer's keys that tokens with an unknown key cause.</summary>
    public static readonly TimeSpan IssuerKeyLook = TimeSpan.FromSeconds(5);
    /// <summary>Age of a token issuer's keys at which they are read again.</summary>
    public static readonly TimeSpan IssuerKeyRefresh = TimeSpan.FromHours(1);
    /// <summary>Timeout of a read of a token issuer's keys.</summary>
    public static readonly TimeSpan IssuerTimeout = TimeSpan.FromSeconds(5);
    /// <summary>Largest difference between a token issuer's clock and this server's.</summary>
    public static readonly TimeSpan TokenClockTolerance = TimeSpan.FromSeconds(30);
    /// <summary>Time for which entries of the audit log are kept by default.</summary>
    public static readonly TimeSpan AuditKeep = TimeSpan.FromDays(400);
    /// <summary>Entries of the audit log that are kept at most; when there are more, the oldest are removed.</summary>
    public const int MaxAuditEntries = 1_000_000;
    /// <summary>Interval at which refusals are recorded in the audit log, and old entries removed.</summary>
    public static readonly TimeSpan AuditInterval = TimeSpan.FromHours(1);
    /// <summary>Longest time that a pull may wait for an item.</summary>
    public static readonly TimeSpan MaxPullWait = TimeSpan.FromSeconds(60);
    /// <summary>Sends of one process that wait for what becomes of their message. Reached: they respond at once.</summary>
    public const int MaxSendWaits = 1024;
    /// <summary>Maximum number of settlements, and of confirmations, in one request.</summary>
    public const int MaxSettlements = 100;
    /// <summary>Maximum size of the body of an HTTP/JSON call, in bytes: that of a gRPC message, with room for base64 and names.</summary>
    public const long MaxJsonBodyBytes = 2 * MaxReceiveMessageBytes;

    /// <summary>Maximum number of endpoints that one stream may open.</summary>
    public const int MaxEndpointsPerStream = 256;
    /// <summary>Maximum number of items of one endpoint that are delivered but not acknowledged on one stream.</summary>
    public const int UnacknowledgedWindow = 1000;
    /// <summary>Interval at which a watch that must stop for want of acknowledgements looks for them.</summary>
    public static readonly TimeSpan AcknowledgementPoll = TimeSpan.FromSeconds(1);
    /// <summary>Time for which a stream that ends tells its subscription so.</summary>
    public static readonly TimeSpan ReleaseTimeout = TimeSpan.FromSeconds(1);
    /// <summary>Maximum number of outbox items per read.</summary>
    public const int OutboxBatch = 32;
    /// <summary>Maximum number of inbound messages in progress on one bridge stream; at the limit the server stops reading.</summary>
    public const int InboundInFlight = 256;
    /// <summary>Time without a message after which a keep-alive is sent on a stream.</summary>
    public static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(15);
    /// <summary>Default timeout for work in flight when the server drains.</summary>
    public static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(20);

    /// <summary>Time between the draining message on a stream and the end of the stream.</summary>
    public static readonly TimeSpan DrainingNoticeLead = TimeSpan.FromMilliseconds(100);

    /// <summary>Minimum time between checks of the certificate's files, which are made while clients connect.</summary>
    public static readonly TimeSpan CertificateRecheck = TimeSpan.FromSeconds(1);
    /// <summary>Remaining validity below which a warning about the certificate is logged.</summary>
    public static readonly TimeSpan CertificateWarning = TimeSpan.FromDays(14);

    /// <summary>
    /// Minimum time between a bridge stream's checks whether a stream on another node has claimed its endpoint, made while it delivers.
    /// </summary>
    public static readonly TimeSpan TakeoverRecheck = TimeSpan.FromSeconds(1);
    /// <summary>Polling interval for a newer version of the cluster's API keys.</summary>
    public static readonly TimeSpan KeyRefresh = TimeSpan.FromSeconds(2);
    /// <summary>Minimum time between reads of the stored keys that calls with an unknown key cause.</summary>
    public static readonly TimeSpan UnknownKeyLook = TimeSpan.FromMilliseconds(250);
    /// <summary>Age of the cached API keys above which a node does not use them: callers get UNAVAILABLE.</summary>
    public static readonly TimeSpan MaxKeyAge = TimeSpan.FromMinutes(1);

    /// <summary>Maximum size of a received gRPC message, in bytes.</summary>
    public const int MaxReceiveMessageBytes = 256 * 1024;
    /// <summary>Maximum number of concurrent calls per connection.</summary>
    public const int MaxCallsPerConnection = 1000;
    /// <summary>Maximum number of concurrent connections.</summary>
    public const int MaxConnections = 10_000;

    /// <summary>Time to flush the log of a node that must end at once; what is not written then is lost.</summary>
    public static readonly TimeSpan LogFlushTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Maximum number of API keys, including revoked and expired ones.</summary>
    public const int MaxApiKeys = 10_000;
    /// <summary>Maximum number of endpoints that one key may be limited to.</summary>
    public const int MaxEndpointsPerKey = 100;
    /// <summary>Maximum length of a webhook's URL, in characters.</summary>
    public const int MaxWebhookUrlLength = 2048;
    /// <summary>Maximum length of a key's display name, in characters.</summary>
    public const int MaxDisplayNameLength = 100;

    /// <summary>Longest time that somebody stays signed in to the console.</summary>
    public static readonly TimeSpan ConsoleSessionLife = TimeSpan.FromHours(8);
    /// <summary>Time without a request after which a session of the console ends.</summary>
    public static readonly TimeSpan ConsoleSessionIdle = TimeSpan.FromMinutes(30);
    /// <summary>Sessions of one node's console; one more ends the one that was idle for longest.</summary>
    public const int MaxConsoleSessions = 256;
    /// <summary>Time for which a form of the console can be sent.</summary>
    public static readonly TimeSpan ConsoleFormLife = TimeSpan.FromHours(1);
    /// <summary>Forms that one session may send in that time.</summary>
    public const int MaxConsoleForms = 4096;
    /// <summary>Attempts to sign in to the console, from one address in a minute.</summary>
    public const int ConsoleSignInsPerMinute = 5;
    /// <summary>Maximum size of a form that is sent to the console, in bytes.</summary>
    public const int MaxConsoleFormBytes = 16 * 1024;
    /// <summary>Rows on a page of the console.</summary>
    public const int ConsoleRows = 50;
    /// <summary>
    /// Share of one processor that looking through the endpoints for a session of the console takes at most: a pause this many times as long
    /// follows each read.
    /// </summary>
    public const int ConsoleSurveyPauseFactor = 4;
    /// <summary>Shortest of these pauses; what is due is gathered until then.</summary>
    public static readonly TimeSpan ConsoleSurveyRest = TimeSpan.FromMilliseconds(100);
    /// <summary>Time for which the first page after signing in waits for the endpoints to be looked through.</summary>
    public static readonly TimeSpan ConsoleSurveyWait = TimeSpan.FromMilliseconds(40);
    /// <summary>Age of what was found in the endpoints above which they are looked through again when a page of the console is shown.</summary>
    public static readonly TimeSpan ConsoleSurveyAge = TimeSpan.FromSeconds(15);
    /// <summary>Age of what waits in a stream above which the console points it out: nobody reads, or the reader is stuck.</summary>
    public static readonly TimeSpan ConsoleLateAge = TimeSpan.FromMinutes(5);
    /// <summary>Findings of each kind that the console keeps; beyond, it counts only.</summary>
    public const int MaxConsoleFindings = 200;
    /// <summary>Length of a slot of the console's figures; an hour is kept.</summary>
    public static readonly TimeSpan ConsoleFigureSlot = TimeSpan.FromSeconds(15);
}
