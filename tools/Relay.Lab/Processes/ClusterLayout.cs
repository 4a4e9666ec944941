using System.Net;

namespace Relay.Lab.Processes;

/// <summary>What a <see cref="ClusterProcesses"/> consists of.</summary>
internal sealed record ClusterLayout
{
    /// <summary>Relay processes.</summary>
    public int Nodes { get; init; } = 3;

    /// <summary>Shards that the nodes share.</summary>
    public int Shards { get; init; } = 16;

    /// <summary>
    /// This machine's address at which the database listens, and the nodes for each other: where nodes in networks of their own reach
    /// it. For clients the nodes without a place listen on loopback.
    /// </summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>Network in CIDR form, beside that address, from which nodes reach the database; null: none.</summary>
    public string? NodeNetwork { get; init; }

    /// <summary>Nodes that run in a network of their own, by number from 1.</summary>
    public IReadOnlyDictionary<int, NodePlace> Places { get; init; } = new Dictionary<int, NodePlace>();

    /// <summary>Further arguments of <c>relay serve</c>.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Told what is being done, for people.</summary>
    public Action<string> Progress { get; init; } = static _ => { };
}

/// <summary>Where one node runs, if not beside the others on loopback. Relay speaks no cleartext off loopback.</summary>
/// <param name="CommandPrefix">Enters the place, as <c>ip netns exec NAME</c>.</param>
/// <param name="CertificateFile">PEM, certificate and key.</param>
internal sealed record NodePlace(IReadOnlyList<string> CommandPrefix, IPAddress Address, string CertificateFile);
