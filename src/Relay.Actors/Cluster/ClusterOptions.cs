using System.Buffers;
using System.Globalization;
using System.Net;
using Akka.Configuration;
using Relay.Storage;

namespace Relay.Actors.Cluster;

/// <summary>A node's place in its cluster.</summary>
public sealed record ClusterOptions
{
    /// <summary>The port that nodes find each other at unless another is configured.</summary>
    public const int DefaultPort = 7430;

    /// <summary>Settings that the cluster's wall, the evidence or the fence stand on: they cannot be changed.</summary>
    private static readonly string[] s_fixed =
    [
        "akka.loggers", "akka.actor.provider", "akka.actor.serial",
        "akka.remote.dot-netty.tcp.enable-ssl", "akka.remote.dot-netty.tcp.ssl", "akka.remote.dot-netty.tcp.hostname",
        "akka.remote.dot-netty.tcp.port", "akka.remote.dot-netty.tcp.public", "akka.remote.dot-netty.tcp.maximum-frame-size",
        "akka.remote.enabled-transports", "akka.remote.untrusted-mode",
        "akka.cluster.roles", "akka.cluster.seed-nodes", "akka.cluster.failure-detector.implementation-class",
        "akka.cluster.downing-provider-class", "akka.cluster.split-brain-resolver.active-strategy", "akka.cluster.sharding.use-lease",
        "akka.cluster.sharding.state-store-mode", "akka.cluster.sharding.remember-entities", "akka.coordinated-shutdown.exit-clr",
        "akka.coordinated-shutdown.run-by-clr-shutdown-hook", "relay.shard-lease.lease-class",
    ];

    private static readonly SearchValues<char> s_nameCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");

    /// <summary>Name or IP address at which the other nodes reach this one; with the port, it is the node's own in the cluster.</summary>
    public required string Host { get; init; }

    /// <summary>The port at that address, and the port to listen on. 0 in tests: a free one.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>IP address to listen on, where it is another than <see cref="Host"/>; null: what <see cref="Host"/> names.</summary>
    public string? Listen { get; init; }

    /// <summary>Own certificate files; null: the node issues itself a certificate from an authority derived from the sealing key.</summary>
    public ClusterCertificateFiles? Certificate { get; init; }

    /// <summary>Akka's settings over Relay's, by their full names, as `akka.cluster.gossip-interval` = `500ms`.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>What is wrong with it: a sentence for each mistake, which names the key and says what to do.</summary>
    public IReadOnlyList<string> Check() => [.. Mistakes()];

    private IEnumerable<string> Mistakes()
    {
        if (Uri.CheckHostName(Host) == UriHostNameType.Unknown)
            yield return "Relay:Cluster:Host is not a host name or IP address at which other nodes could reach this one.";
        if (Listen is not null && !IPAddress.TryParse(Listen, out _))
            yield return "Relay:Cluster:Listen is not an IP address to listen on.";
        if (Port is < 0 or > 65535) yield return "Relay:Cluster:Port is not a port from 1 to 65535.";
        if (Certificate is { } files && (files.Path.Length == 0 || files.KeyPath.Length == 0 || files.AuthorityPath.Length == 0))
            yield return "Relay:Cluster:Certificate needs Path, KeyPath and AuthorityPath. Set all three, or none: a node then issues "
                + "itself a certificate from an authority derived from the sealing key.";
        foreach (var (name, value) in Settings)
        {
            if (s_fixed.Any(f => name.StartsWith(f, StringComparison.OrdinalIgnoreCase)))
                yield return $"Relay:Cluster:Settings:{name} cannot be changed: the cluster's security, or its failover, rests on it. "
                    + "Remove it.";
            else if (!name.StartsWith("akka.", StringComparison.Ordinal) || name.AsSpan().ContainsAnyExcept(s_nameCharacters)
                || value.AsSpan().ContainsAny("\"\\\r\n"))
                yield return $"Relay:Cluster:Settings:{name} is not one of Akka's settings, or its value is not one: names are like "
                    + "akka.cluster.gossip-interval, values like 500ms.";
        }
    }

    /// <summary>Akka's configuration of this node.</summary>
    /// <exception cref="RelayStartException">Something is wrong with the options.</exception>
    internal Config ToConfig()
    {
        if (Check() is [var mistake, ..]) throw new RelayStartException(mistake);
        // Strings are quoted: the parser takes IP addresses for numbers.
        var node = ConfigurationFactory.ParseString(string.Create(CultureInfo.InvariantCulture, $$"""
            akka.remote.dot-netty.tcp {
              hostname = "{{Listen ?? Host}}"
              public-hostname = "{{Host}}"
              port = {{Port}}
              maximum-frame-size = {{RelayLimits.MaxClusterFrameBytes}}b
              send-buffer-size = {{RelayLimits.MaxClusterFrameBytes}}b
              receive-buffer-size = {{RelayLimits.MaxClusterFrameBytes}}b
            }
            """));
        return Changes().WithFallback(node).WithFallback(Base());
    }

    private Config Changes()
    {
        var changes = Config.Empty;
        foreach (var (name, value) in Settings) changes = ConfigurationFactory.ParseString($"{name} = \"{value}\"").WithFallback(changes);
        return changes;
    }

    private static Config Base()
    {
        var resource = typeof(ClusterOptions).Assembly.GetManifestResourceStream("Relay.Actors.Cluster.cluster.hocon")!;
        using var reader = new StreamReader(resource);
        return ConfigurationFactory.ParseString(reader.ReadToEnd());
    }
}

/// <summary>A node's own certificate, for organisations that keep an authority for it.</summary>
/// <param name="Path">PEM file of the node's certificate, and of intermediate ones after it.</param>
/// <param name="KeyPath">PEM file of its private key.</param>
/// <param name="AuthorityPath">
/// PEM file of the authority that the certificates of all nodes come from. Whoever has a certificate of it is a member:
/// it must be used for nothing else.
/// </param>
public sealed record ClusterCertificateFiles(string Path, string KeyPath, string AuthorityPath);
