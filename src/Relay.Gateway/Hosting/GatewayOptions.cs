using System.Net;
using Microsoft.Extensions.Logging;

namespace Relay.Gateway.Hosting;

/// <summary>How a server is to run.</summary>
/// <param name="DataDirectory">Where everything is kept that is this server's own; made with mode 0700 if absent.</param>
public sealed record GatewayOptions(string DataDirectory)
{
    /// <summary>Where to listen; port 0 takes a free one.</summary>
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, DefaultPort);

    /// <summary>Where probes may ask by plain HTTP whether the server is alive and ready; null: nowhere.</summary>
    public IPEndPoint? HealthListen { get; init; }

    /// <summary>PEM file of the certificate chain; null: no TLS, which only loopback allows.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>PEM file of the certificate's private key; null: it is in <see cref="CertificateFile"/>.</summary>
    public string? CertificateKeyFile { get; init; }

    /// <summary>Where the sealing key is kept; null: in the data directory.</summary>
    public string? SealingKeyFile { get; init; }

    /// <summary>The file of an admin key that is taken up, or where the first one is put; null: in the data directory.</summary>
    public string? AdminKeyFile { get; init; }

    /// <summary>What the nodes of a cluster share; null: one process, with SQLite in the data directory.</summary>
    public ClusterOptions? Cluster { get; init; }

    /// <summary>Least level of the log lines on standard error.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>True: log lines are JSON.</summary>
    public bool JsonLog { get; init; }

    /// <summary>Silence after which a stream gets a keep-alive.</summary>
    public TimeSpan KeepAliveInterval { get; init; } = GatewayLimits.KeepAliveInterval;

    /// <summary>Time between saying that the server is not ready any more and beginning to drain, in which it serves as before: for load balancers to notice.</summary>
    public TimeSpan DrainDelay { get; init; }

    /// <summary>Time that work in flight gets when the server drains.</summary>
    public TimeSpan DrainTimeout { get; init; } = GatewayLimits.DrainTimeout;

    /// <summary>Shards of the embedded actors, or of the whole cluster.</summary>
    public int Shards { get; init; } = 16;

    /// <summary>The port, if none is given.</summary>
    public const int DefaultPort = 7420;
}

/// <summary>What the nodes of a cluster share.</summary>
/// <param name="Database">PostgreSQL: Npgsql's connection string.</param>
/// <param name="Broker">RabbitMQ: <c>amqp://</c> or <c>amqps://</c>.</param>
public sealed record ClusterOptions(string Database, Uri Broker)
{
    /// <summary>What people call this node.</summary>
    public string NodeName { get; init; } = Environment.MachineName;

    /// <summary>PEM file of the only certificate authority that the broker's certificate may come from; null: the system's.</summary>
    public string? BrokerCertificateAuthorityFile { get; init; }

    /// <summary>Without the addresses, which may hold passwords.</summary>
    public override string ToString() => $"ClusterOptions {{ {NodeName} }}";
}
