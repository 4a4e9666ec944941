using System.Security.Cryptography.X509Certificates;

namespace Relay.Bridges.Irc;

/// <summary>What an IRC bridge does while another client has its nick.</summary>
public enum NickTaken
{
    /// <summary>It disconnects, reports it, and tries again after minutes.</summary>
    Stop,
    /// <summary>It stays under another nick, carries nothing, and takes its nick as soon as it is free.</summary>
    Wait,
}

/// <summary>An account on the network's services.</summary>
/// <param name="Account">The account's name.</param>
/// <param name="Password">Never printed.</param>
public sealed record SaslAccount(string Account, string Password)
{
    /// <summary>Prints neither the name nor the password.</summary>
    public override string ToString() => nameof(SaslAccount);
}

/// <summary>How one endpoint is connected to an IRC network.</summary>
public sealed record IrcOptions
{
    /// <summary><c>endpoints/{endpoint}</c>: the endpoint whose account is the nick.</summary>
    public required string Endpoint { get; init; }

    public required string Host { get; init; }

    public required int Port { get; init; }

    /// <summary>The nick, which is the endpoint's address.</summary>
    public required string Nick { get; init; }

    /// <summary>TLS from the first byte; the certificate must be valid for <see cref="Host"/> unless it is pinned.</summary>
    public bool Tls { get; init; }

    /// <summary>Permits a connection without TLS to another machine.</summary>
    public bool AllowsCleartext { get; init; }

    /// <summary>SHA-256 of the server's certificate (DER) in hexadecimal: it alone is trusted then. Null: authorities are.</summary>
    public string? CertificatePin { get; init; }

    /// <summary>The only authorities to trust for the server's certificate; null: the system's.</summary>
    public X509Certificate2Collection? TrustedAuthorities { get; init; }

    /// <summary>The certificate with its key that the bridge shows the server; null: none.</summary>
    public X509Certificate2? ClientCertificate { get; init; }

    /// <summary>Logs in by SASL PLAIN. Null with a client certificate: by EXTERNAL, if <see cref="UsesExternal"/>.</summary>
    public SaslAccount? Sasl { get; init; }

    /// <summary>Logs in by SASL EXTERNAL, with the client certificate.</summary>
    public bool UsesExternal { get; init; }

    /// <summary>Logs in at the services, on networks without SASL; null: it does not.</summary>
    public SaslAccount? NickServ { get; init; }

    /// <summary>The nick of the services that log users in.</summary>
    public string ServicesNick { get; init; } = "NickServ";

    /// <summary>The password of the server itself (PASS); null: none.</summary>
    public string? ServerPassword { get; init; }

    /// <summary>The user name in the prefix; servers shorten it.</summary>
    public string UserName { get; init; } = "relay";

    public string RealName { get; init; } = "Relay";

    public NickTaken NickTaken { get; init; } = NickTaken.Stop;

    /// <summary>Channels to be in: only who shares a channel with a peer sees that it takes another nick, or leaves.</summary>
    public IReadOnlyList<string> Channels { get; init; } = [];

    /// <summary>Peers that are logged in are known by their account instead of their nick.</summary>
    public bool PeersByAccount { get; init; }

    /// <summary>Colours and styles are removed from text for bots.</summary>
    public bool StripsFormatting { get; init; } = true;

    /// <summary>Nicks of services, besides those that end with "Serv": they are never peers.</summary>
    public IReadOnlyList<string> ServicesNicks { get; init; } = ["NickServ", "ChanServ", "Global"];

    public FloodProfile Flood { get; init; } = FloodProfile.Default;

    /// <summary>The longest wait for the TCP connection and the TLS handshake.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest wait from the connection to the end of the server's greeting; servers look names up meanwhile.</summary>
    public TimeSpan RegistrationTimeout { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>The wait for an answer to CAP, and for services that are not linked yet.</summary>
    public TimeSpan CapabilityTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Silence after which the bridge asks whether the server is there.</summary>
    public TimeSpan PingAfter { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Silence after which the connection is given up.</summary>
    public TimeSpan LostAfter { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>How often the bridge asks for its nick while another client has it.</summary>
    public TimeSpan NickRetry { get; init; } = TimeSpan.FromSeconds(30);

    internal bool Authenticates => Sasl is not null || UsesExternal;

    /// <summary>Prints the endpoint only.</summary>
    public override string ToString() => $"IrcOptions {{ {Endpoint} }}";
}
