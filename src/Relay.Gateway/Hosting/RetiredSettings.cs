using Microsoft.Extensions.Configuration;

namespace Relay.Gateway.Hosting;

/// <summary>A switch, variable or key that Relay had, and what took its place.</summary>
/// <param name="Name">As an operator wrote it.</param>
/// <param name="Instead">What to do, as a sentence.</param>
public sealed record RetiredSetting(string Name, string Instead)
{
    /// <summary>A sentence for the operator who still gives it.</summary>
    public override string ToString() => $"{Name} is gone. {Instead}";
}

/// <summary>
/// Settings of earlier versions. Each is answered by a sentence rather than ignored: who gives one expects it to have an effect.
/// </summary>
public static class RetiredSettings
{
    private const string NoBroker = "The nodes of a cluster talk to each other directly, and PostgreSQL is all that they share. Leave it out.";
    private const string Address = "A node is named by the address at which the others reach it: set Relay:Cluster:Host (--cluster-host, RELAY_CLUSTER_HOST), "
        + "and Relay:Cluster:Port (--cluster-port) where several nodes are on one machine.";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<RetiredSetting> All { get; } =
    [
        .. new[]
        {
            "--broker", "--broker-file", "--broker-ca", "RELAY_BROKER", "RELAY_BROKER_FILE", "RELAY_BROKER_CA",
            "Relay:Cluster:Broker", "Relay:Cluster:BrokerCertificateAuthorityFile",
        }.Select(name => new RetiredSetting(name, NoBroker)),
        .. new[] { "--node-name", "RELAY_NODE_NAME" }.Select(name => new RetiredSetting(name, Address)),
    ];

    /// <summary>The switches among them.</summary>
    public static IEnumerable<string> Switches => All.Select(s => s.Name).Where(n => n.StartsWith('-'));

    /// <summary>The setting of a key, switch or variable, if it is one of them.</summary>
    public static RetiredSetting? Of(string name) => All.FirstOrDefault(s => string.Equals(s.Name, name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Those that are given as keys or variables. Switches are looked at where they are read.</summary>
    internal static IEnumerable<string> Check(IConfiguration configuration) => All
        .Where(s => s.Name.Contains(':', StringComparison.Ordinal)
            ? configuration[s.Name] is { Length: > 0 } : Environment.GetEnvironmentVariable(s.Name) is { Length: > 0 })
        .Select(s => s.ToString());
}
