using System.Security.Cryptography.X509Certificates;
using Relay.ChatProtocols.Dialing;

namespace Relay.Proxy.Xmpp;

/// <summary>How <c>relay proxy xmpp</c> serves one account.</summary>
public sealed record XmppProxyOptions
{
    /// <summary>The account, a bare address.</summary>
    public required Jid Account { get; init; }

    /// <summary>The account's server; its certificate must be valid for the account's domain all the same.</summary>
    public required string Host { get; init; }

    public required int Port { get; init; }

    /// <summary><see cref="Host"/> is only the account's domain: its servers are looked up by SRV records, unless another proxy connects.</summary>
    public bool LooksUpServers { get; init; }

    /// <summary>TLS from the first byte towards the server, instead of STARTTLS.</summary>
    public bool DirectTls { get; init; }

    /// <summary>Whose certificates are taken from the server; null: those of the system's authorities.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    public DialOptions Dial { get; init; } = new();

    /// <summary>Offered to clients by STARTTLS; null: clients connect in the clear, which loopback allows.</summary>
    public X509Certificate2? ClientCertificate { get; init; }
}
