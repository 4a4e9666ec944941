using System.Net;
using Microsoft.Extensions.Logging;

namespace Relay.Gateway.Hosting;

/// <summary>How a server is to run.</summary>
/// <param name="DataDirectory">Where everything is kept; made with mode 0700 if absent.</param>
public sealed record GatewayOptions(string DataDirectory)
{
    /// <summary>Where to listen; port 0 takes a free one.</summary>
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, DefaultPort);

    /// <summary>PEM file of the certificate chain; null: no TLS, which only loopback allows.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>PEM file of the certificate's private key; null: it is in <see cref="CertificateFile"/>.</summary>
    public string? CertificateKeyFile { get; init; }

    /// <summary>Where the sealing key is kept; null: in the data directory.</summary>
    public string? SealingKeyFile { get; init; }

    /// <summary>Least level of the log lines on standard error.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>True: log lines are JSON.</summary>
    public bool JsonLog { get; init; }

    /// <summary>Silence after which a stream gets a keep-alive.</summary>
    public TimeSpan KeepAliveInterval { get; init; } = GatewayLimits.KeepAliveInterval;

    /// <summary>Shards of the embedded actors.</summary>
    public int Shards { get; init; } = 16;

    /// <summary>The port, if none is given.</summary>
    public const int DefaultPort = 7420;
}
