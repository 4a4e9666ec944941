using System.Security.Cryptography.X509Certificates;

namespace Relay.Bridges.Xmpp;

/// <summary>How the XMPP bridge connects as an external component (XEP-0114).</summary>
public sealed record XmppOptions : XmppBridgeOptions
{
    /// <summary>The server's host name or address.</summary>
    public required string Host { get; init; }

    /// <summary>The server's port for components.</summary>
    public required int Port { get; init; }

    /// <summary>The component's domain: it carries the endpoints whose account is in it.</summary>
    public required string Domain { get; init; }

    /// <summary>Reads the secret for each connection, so that a corrected file takes effect without a restart.</summary>
    public required Func<string> Secret { get; init; }

    /// <summary>TLS from the first byte, the certificate checked against <see cref="Host"/>. Prosody has none for components.</summary>
    public bool Tls { get; init; }

    /// <summary>The authorities that alone are trusted for the server's certificate; null: the system's.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>Permits a connection without TLS to another machine, for a link that is protected by other means.</summary>
    public bool AllowCleartext { get; init; }
}
