using Microsoft.Extensions.Logging;
using Otr.Core;

namespace Relay.Actors;

/// <summary>One node of many, over a shared database and a broker.</summary>
public static class ClusterRelay
{
    /// <summary>Opens the data directory, the database and the broker, and joins the others.</summary>
    /// <exception cref="RelayStartException">Why it refuses; nothing was overwritten.</exception>
    public static Task<IRelay> OpenAsync(ClusterRelayOptions options, ILoggerFactory loggers, TimeProvider time, IRandomSource random, CancellationToken cancellation)
        => throw new RelayStartException("This build of Relay runs in one process only.");
}

/// <param name="Database">Npgsql's connection string.</param>
/// <param name="Broker"><c>amqp://</c> or <c>amqps://</c>.</param>
public sealed record ClusterRelayOptions(string Database, Uri Broker)
{
    public required string DataDirectory { get; init; }
    public string? SealingKeyFile { get; init; }
    public required string NodeName { get; init; }
    public int Shards { get; init; } = 16;
    public string? BrokerCertificateAuthorityFile { get; init; }

    /// <summary>Without the addresses, which may hold passwords.</summary>
    public override string ToString() => $"ClusterRelayOptions {{ {NodeName} }}";
}
