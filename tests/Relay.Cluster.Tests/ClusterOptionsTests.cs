using Relay.Actors.Cluster;
using Relay.Storage;

namespace Relay.Cluster.Tests;

/// <summary>What an operator may set.</summary>
public sealed class ClusterOptionsTests
{
    private static ClusterOptions With(params (string Name, string Value)[] settings)
        => new() { Host = "127.0.0.1", Settings = settings.ToDictionary(s => s.Name, s => s.Value) };

    [Fact]
    public void Settings_go_over_ours_and_the_rest_stays()
    {
        var config = With(("akka.cluster.gossip-interval", "700ms"), ("akka.cluster.sharding.rebalance-interval", "9s")).ToConfig();
        Assert.Equal(TimeSpan.FromMilliseconds(700), config.GetTimeSpan("akka.cluster.gossip-interval"));
        Assert.Equal(TimeSpan.FromSeconds(9), config.GetTimeSpan("akka.cluster.sharding.rebalance-interval"));
        Assert.Equal(TimeSpan.FromMilliseconds(50), config.GetTimeSpan("akka.cluster.leader-actions-interval"));
        Assert.Equal("ddata", config.GetString("akka.cluster.sharding.state-store-mode"));
        Assert.True(config.GetBoolean("akka.remote.dot-netty.tcp.enable-ssl"));
        Assert.Equal(1 << 20, config.GetByteSize("akka.remote.dot-netty.tcp.maximum-frame-size"));
    }

    [Theory]
    [InlineData("akka.remote.dot-netty.tcp.enable-ssl", "off")]
    [InlineData("akka.remote.dot-netty.tcp.ssl.require-mutual-authentication", "false")]
    [InlineData("Akka.Remote.Dot-Netty.Tcp.Ssl.suppress-validation", "true")]
    [InlineData("akka.actor.serializers.json", "Akka.Serialization.NewtonSoftJsonSerializer, Akka")]
    [InlineData("akka.actor.serialization-settings.allow-unregistered-types", "true")]
    [InlineData("akka.cluster.sharding.use-lease", "")]
    [InlineData("akka.cluster.failure-detector.implementation-class", "x")]
    [InlineData("akka.loggers", "x")]
    [InlineData("relay.shard-lease.lease-class", "x")]
    [InlineData("akka", "{}")]
    [InlineData("akka.cluster.gossip-interval", "1s\"\nakka.actor.provider = \"local")]
    [InlineData("akka.cluster { gossip-interval", "1s")]
    public void What_the_wall_or_the_fence_stands_on_cannot_be_changed(string name, string value)
        => Assert.StartsWith("Relay:Cluster:Settings", Assert.Throws<RelayStartException>(() => With((name, value)).ToConfig()).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("", 7430, null, "Host")]
    [InlineData("re lay", 7430, null, "Host")]
    [InlineData("relay\"1", 7430, null, "Host")]
    [InlineData("relay1", 70000, null, "Port")]
    [InlineData("relay1", 7430, "relay1", "Listen")]
    public void A_wrong_value_is_refused_by_its_key(string host, int port, string? listen, string key)
        => Assert.Contains(key, Assert.Throws<RelayStartException>(()
            => new ClusterOptions { Host = host, Port = port, Listen = listen }.ToConfig()).Message, StringComparison.Ordinal);

    [Fact]
    public void Every_mistake_is_told_at_once() => Assert.Equal(4, new ClusterOptions
    {
        Host = "re lay", Port = 70000, Listen = "x", Settings = new Dictionary<string, string> { ["akka.loggers"] = "x" },
    }.Check().Count);
}
