using System.Net;

namespace Relay.Engines;

/// <summary>How a <see cref="RabbitServer"/> is started; every value has a default that suits a test on one machine.</summary>
public sealed record RabbitServerOptions
{
    /// <summary>The AMQP port; 0: a free one.</summary>
    public int Port { get; init; }

    /// <summary>Where AMQP is listened on. The broker's own distribution stays on loopback in any case.</summary>
    public IPAddress ListenAddress { get; init; } = IPAddress.Loopback;

    /// <summary>Words put before each command, as `ip netns exec NAME`: they must end in executing it, not in starting a child.</summary>
    public IReadOnlyList<string> CommandPrefix { get; init; } = [];

    /// <summary>Adds a second listener, for TLS; null: none.</summary>
    public RabbitServerTls? Tls { get; init; }

    /// <summary>What the broker offers; a client may ask for less.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Further lines of `rabbitmq.conf`.</summary>
    public IReadOnlyList<string> Configuration { get; init; } = [];

    /// <summary>Plug-ins to enable.</summary>
    public IReadOnlyList<string> Plugins { get; init; } = ["rabbitmq_consistent_hash_exchange"];

    /// <summary>Longest wait for the broker to be up.</summary>
    public TimeSpan StartLimit { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>Longest wait for an orderly end; then it is killed.</summary>
    public TimeSpan StopLimit { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>The files of a TLS listener, PEM.</summary>
/// <param name="CertificateFile">The server's certificate, and intermediate ones after it.</param>
/// <param name="KeyFile">Its private key.</param>
/// <param name="CaFile">What clients' certificates are checked against.</param>
/// <param name="RequiresClientCertificate">Refuses clients without one.</param>
public sealed record RabbitServerTls(string CertificateFile, string KeyFile, string CaFile, bool RequiresClientCertificate = false);
