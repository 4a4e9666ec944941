namespace Interop.Tests;

/// <summary>The other implementations among themselves: what holds here is theirs, and the peers and the network are sound.</summary>
public sealed class PeersThemselvesTests
{
    [Theory]
    [InlineData(Peers.Libotr, Peers.Libotr, "3")]
    [InlineData(Peers.Libotr, Peers.Potr, "2")]
    [InlineData(Peers.Potr, Peers.Libotr, "2")]
    public async Task AConversationFromBeginningToEnd(string a, string b, string version)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        Assert.Equal(version, (await network.A.StateAsync())["version"]);
        await network.SayAsync(network.A, "Grüße, 世界");
        await network.SayAsync(network.B, "and back");
        await network.A.DoAsync("smp-start secret");
        await network.SettleAsync();
        Assert.Contains("ask-secret", network.B.Smp);
        await network.B.DoAsync("smp-answer secret");
        await network.SettleAsync();
        Assert.Equal("success", network.A.Smp.Last());
        Assert.Equal("success", network.B.Smp.Last());
        await network.A.DoAsync("end");
        await network.SettleAsync();
        Assert.Equal("PLAINTEXT", (await network.A.StateAsync())["state"]);
        Assert.Equal("FINISHED", (await network.B.StateAsync())["state"]);
    }
}
