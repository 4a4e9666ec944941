using Relay.Actors;

namespace Relay.Gateway.Hosting;

/// <summary>Every bound of the gateway, by name, in one place.</summary>
public static class GatewayLimits
{
    /// <summary>Longest request id, and longest id of a bridge's message, in bytes of UTF-8.</summary>
    public const int MaxRequestIdBytes = RelayLimits.MaxRequestIdBytes;
    /// <summary>Longest peer address, in bytes of UTF-8: that of an XMPP address.</summary>
    public const int MaxPeerBytes = RelayLimits.MaxAddressBytes;
    /// <summary>Longest name of a network, in bytes of UTF-8.</summary>
    public const int MaxNetworkBytes = 63;
    /// <summary>Longest account, in bytes of UTF-8.</summary>
    public const int MaxAccountBytes = 1023;
    /// <summary>Longest id of an endpoint, in characters.</summary>
    public const int MaxEndpointIdLength = 63;
    /// <summary>Longest text that a bot may send, in bytes of UTF-8.</summary>
    public const int MaxTextBytes = 65_000;
    /// <summary>Longest wire text that a bridge may bring, in bytes.</summary>
    public const int MaxWireBytes = 65_536;
    /// <summary>Smallest limit that an endpoint's network may have, in bytes: a fragment's header and some text.</summary>
    public const int MinWireLimitBytes = 200;
    /// <summary>Largest libotr key file taken in, in bytes.</summary>
    public const int MaxKeyFileBytes = 64 * 1024;
    /// <summary>Items of a page, if the caller does not say.</summary>
    public const int DefaultPageSize = 100;
    /// <summary>Items of a page at most.</summary>
    public const int MaxPageSize = 1000;
    /// <summary>Bytes of a pulled page, after which it ends early.</summary>
    public const int MaxPullBytes = 3 * 1024 * 1024;

    /// <summary>Endpoints that one stream may open.</summary>
    public const int MaxEndpointsPerStream = 256;
    /// <summary>Items of one endpoint sent but not acknowledged, on one stream.</summary>
    public const int UnacknowledgedWindow = 1000;
    /// <summary>Outbox items read at once.</summary>
    public const int OutboxBatch = 32;
    /// <summary>A bridge stream's inbound messages in work at once; the server stops reading at it.</summary>
    public const int InboundInFlight = 256;
    /// <summary>Silence after which a stream gets a keep-alive.</summary>
    public static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(15);
    /// <summary>Time that in-flight work gets when the server drains.</summary>
    public static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(20);

    /// <summary>Time between the draining notice on a stream and the stream's end.</summary>
    public static readonly TimeSpan DrainingNoticeLead = TimeSpan.FromMilliseconds(100);

    /// <summary>How often, while clients connect, the files of the certificate are looked at.</summary>
    public static readonly TimeSpan CertificateRecheck = TimeSpan.FromSeconds(1);
    /// <summary>Time before its end from which a certificate is warned of.</summary>
    public static readonly TimeSpan CertificateWarning = TimeSpan.FromDays(14);

    /// <summary>How often, while it delivers, a bridge's stream looks whether a stream at another node has taken its endpoint.</summary>
    public static readonly TimeSpan TakeoverRecheck = TimeSpan.FromSeconds(1);
    /// <summary>How often a node looks for a newer version of the cluster's API keys.</summary>
    public static readonly TimeSpan KeyRefresh = TimeSpan.FromSeconds(2);
    /// <summary>How often, at most, callers with a key that is not known make a node look at once.</summary>
    public static readonly TimeSpan UnknownKeyLook = TimeSpan.FromMilliseconds(250);
    /// <summary>Time without such a look after which a node decides nothing by the keys it knows: callers get UNAVAILABLE.</summary>
    public static readonly TimeSpan MaxKeyAge = TimeSpan.FromMinutes(1);

    /// <summary>Largest gRPC message taken in, in bytes.</summary>
    public const int MaxReceiveMessageBytes = 256 * 1024;
    /// <summary>Concurrent calls on one connection.</summary>
    public const int MaxCallsPerConnection = 1000;
    /// <summary>Concurrent connections.</summary>
    public const int MaxConnections = 10_000;

    /// <summary>API keys, revoked and expired ones among them.</summary>
    public const int MaxApiKeys = 10_000;
    /// <summary>Endpoints that one key may be limited to.</summary>
    public const int MaxEndpointsPerKey = 100;
    /// <summary>Longest name of a key, in characters.</summary>
    public const int MaxDisplayNameLength = 100;
}
