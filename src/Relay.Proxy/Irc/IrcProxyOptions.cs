using System.Net;
using System.Security.Cryptography.X509Certificates;
using Relay.ChatProtocols.Dialing;

namespace Relay.Proxy.Irc;

/// <summary>How <c>relay proxy irc</c> serves one account.</summary>
public sealed record IrcProxyOptions
{
    /// <summary>The account's nick, which a client must begin with.</summary>
    public required string Nick { get; init; }

    /// <summary>The network's host name; the server's certificate must be valid for it, whatever the proxy connects to.</summary>
    public required string Network { get; init; }

    /// <summary>The server to connect to.</summary>
    public required string Host { get; init; }

    public required int Port { get; init; }

    /// <summary>False: a connection in the clear, for a server on loopback or an .onion address.</summary>
    public bool Tls { get; init; } = true;

    /// <summary>Whose certificates are taken from the server; null: those of the system's authorities.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>SHA-256 of the server's certificate in hexadecimal: this one is taken, and no other. Null: authority and name decide.</summary>
    public string? Pin { get; init; }

    /// <summary>Shown to the server, with a login by SASL EXTERNAL before the client's registration; null: the client logs in.</summary>
    public X509Certificate2? AccountCertificate { get; init; }

    public DialOptions Dial { get; init; } = new();

    /// <summary>What a client must send by PASS; null: every user of this machine may connect, and the client's PASS is the server's.</summary>
    public string? ClientPassword { get; init; }

    /// <summary>The server's own password; null: it has none, or the client sends it.</summary>
    public string? ServerPassword { get; init; }

    /// <summary>Shown to clients in TLS from the first byte; null: clients connect in the clear, which loopback allows.</summary>
    public X509Certificate2? ClientCertificate { get; init; }

    /// <summary>Time between two OTR lines when more than a few wait.</summary>
    public TimeSpan LineInterval { get; init; } = ProxyLimits.IrcLineInterval;

    /// <summary>
    /// True if nobody is on the way to the server: it has an address of loopback, or is an onion service. A name is not looked up, for its
    /// answer would come from the network.
    /// </summary>
    public bool MayBeInTheClear => Host.EndsWith(".onion", StringComparison.OrdinalIgnoreCase)
        || Dial.Proxy is null && IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address);

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(IrcProxyOptions);
}
