using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Relay.ChatProtocols.Dialing;

/// <summary>The protocols by which another program connects for us.</summary>
public enum ProxyKind
{
    /// <summary>SOCKS 5 (RFC 1928), also Tor's.</summary>
    Socks5,
    /// <summary>HTTP with the method CONNECT.</summary>
    Http,
    /// <summary>As <see cref="Http"/>, inside TLS.</summary>
    Https,
}

/// <summary>A program that connects to servers for us.</summary>
public sealed record ProxyServer(ProxyKind Kind, string Host, int Port)
{
    public string? User { get; init; }

    public string? Password { get; init; }

    /// <summary>Whose certificate a proxy of kind https must have; null: an authority of the system.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>Prints kind, host and port only.</summary>
    public override string ToString() => $"{Kind.ToString().ToLowerInvariant()}://{Host}:{Port}";
}

/// <summary>How connections are made.</summary>
public sealed record DialOptions
{
    /// <summary>Null: directly.</summary>
    public ProxyServer? Proxy { get; init; }

    /// <summary>The time for all steps together, a proxy's included.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>The only place where a name's addresses are looked up. With a proxy it is asked for the proxy's own name only.</summary>
    public Func<string, CancellationToken, Task<IPAddress[]>> Resolve { get; init; } = Dns.GetHostAddressesAsync;

    /// <summary>The only place where a service's servers are looked up (SRV). With a proxy it is not asked.</summary>
    public Func<string, CancellationToken, Task<IReadOnlyList<SrvRecord>>> ResolveServices { get; init; } =
        (service, cancellation) => SrvLookup.System.AskAsync(service, cancellation);

    /// <summary>Chooses among servers of one priority.</summary>
    public Random Random { get; init; } = Random.Shared;
}

/// <summary>Why there is no connection.</summary>
/// <param name="Message">For the operator: what happened and what to do.</param>
/// <param name="IsPermanent">Another attempt fails the same way until somebody changes something.</param>
public sealed record DialFailure(string Message, bool IsPermanent = false);

/// <summary>A connection, or why there is none.</summary>
public readonly record struct Dialled(Stream? Stream, DialFailure? Failure)
{
    public static implicit operator Dialled(DialFailure failure) => new(null, failure);

    public static implicit operator Dialled(Stream stream) => new(stream, null);
}
