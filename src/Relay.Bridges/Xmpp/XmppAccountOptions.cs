using System.Security.Cryptography.X509Certificates;
using Relay.ChatProtocols.Dialing;

namespace Relay.Bridges.Xmpp;

/// <summary>How the XMPP bridge logs in to one account as a client.</summary>
public sealed record XmppAccountOptions : XmppBridgeOptions
{
    /// <summary>The account, a bare address: it carries the endpoint whose account it is.</summary>
    public required string Account { get; init; }

    /// <summary>Reads the password for each connection, so that a corrected file takes effect without a restart.</summary>
    public required Func<string> Password { get; init; }

    /// <summary>
    /// The account's server: a name or an address. Its certificate must be valid for the account's domain all the same.
    /// </summary>
    public required string Host { get; init; }

    /// <summary>The server's port for clients.</summary>
    public int Port { get; init; } = XmppLogin.DefaultPort;

    /// <summary><see cref="Host"/> is only the account's domain: its servers are looked up by SRV records.</summary>
    public bool LooksUpServers { get; init; }

    /// <summary>TLS from the first byte; otherwise STARTTLS, without which there is no login.</summary>
    public bool DirectTls { get; init; }

    /// <summary>The authorities that alone are trusted for the server's certificate; null: the system's.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>Permits a login without TLS to a server on this machine, which then needs SCRAM. To another machine there is none.</summary>
    public bool AllowCleartextOnLoopback { get; init; }

    /// <summary>
    /// The resource, which should be hard to guess and the same after a restart: the server then ends what is left of the former
    /// connection at once, and stores what that one did not have. Null: a random one for each <see cref="XmppAccountNetwork"/>.
    /// </summary>
    public string? Resource { get; init; }

    internal DialOptions Dial { get; init; } = new();
}
