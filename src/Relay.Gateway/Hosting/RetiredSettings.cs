using Microsoft.Extensions.Configuration;

namespace Relay.Gateway.Hosting;

/// <summary>A switch, variable or key of an earlier version, and its replacement.</summary>
/// <param name="Name">The switch, variable or key.</param>
/// <param name="Instead">A sentence that says what to do instead.</param>
public sealed record RetiredSetting(string Name, string Instead)
{
    /// <summary>The message for an operator who still uses the setting.</summary>
    public override string ToString() => $"{Name} has been removed. {Instead}";
}

/// <summary>
/// The settings of earlier versions. Each leads to an error rather than being ignored, because its user expects an effect.
/// </summary>
public static class RetiredSettings
{
    private const string NoBroker = "The nodes of a cluster communicate directly, and share only PostgreSQL. Remove the setting.";
    private const string Address =
        "A node is named by the address at which the others reach it: set Relay:Cluster:Host (--cluster-host, RELAY_CLUSTER_HOST), "
        + "and Relay:Cluster:Port (--cluster-port) if several nodes run on one machine.";

    public static IReadOnlyList<RetiredSetting> All { get; } =
    [
        .. new[]
        {
            "--broker", "--broker-file", "--broker-ca", "RELAY_BROKER", "RELAY_BROKER_FILE", "RELAY_BROKER_CA",
            "Relay:Cluster:Broker", "Relay:Cluster:BrokerCertificateAuthorityFile",
        }.Select(name => new RetiredSetting(name, NoBroker)),
        .. new[] { "--node-name", "RELAY_NODE_NAME" }.Select(name => new RetiredSetting(name, Address)),
    ];

    /// <summary>The names of the removed switches.</summary>
    public static IEnumerable<string> Switches => All.Select(s => s.Name).Where(n => n.StartsWith('-'));

    /// <summary>The removed setting of this name; null if there is none.</summary>
    public static RetiredSetting? Of(string name) =>
        All.FirstOrDefault(s => string.Equals(s.Name, name, StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// A message for each removed key or variable that is set. <see cref="RelayConfiguration"/> checks the switches when it reads them.
    /// </summary>
    internal static IEnumerable<string> Check(IConfiguration configuration) => All
        .Where(s => s.Name.Contains(':', StringComparison.Ordinal)
            ? configuration[s.Name] is { Length: > 0 } : Environment.GetEnvironmentVariable(s.Name) is { Length: > 0 })
        .Select(s => s.ToString());
}
