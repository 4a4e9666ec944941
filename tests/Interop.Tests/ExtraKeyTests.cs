namespace Interop.Tests;

/// <summary>The extra symmetric key (TLV 8).</summary>
public sealed class ExtraKeyTests
{
    [Theory]
    [MemberData(nameof(Peers.WithLibotr), MemberType = typeof(Peers))]
    public async Task BothSidesGetTheSameKeyNowAndAfterRotations(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        var keys = new HashSet<string>();
        for (var n = 0; n < 4; n++)
        {
            foreach (var from in new[] { network.A, network.B })
            {
                await from.DoAsync($"extra-key {0x80000000u + n} 00ff{n:x2}");
                await network.SettleAsync();
                var sent = from.Events.Last(e => e.Kind == "extra-key" && e["dir"] == "sent");
                var received = network.Other(from).Events.Last(e => e.Kind == "extra-key" && e["dir"] == "received");
                Assert.Equal(64, sent["key"]!.Length);
                foreach (var field in new[] { "key", "use", "data" }) Assert.Equal(sent[field], received[field]);
                Assert.Equal($"00ff{n:x2}", received["data"]);
                keys.Add(sent["key"]!);
                await network.SayAsync(network.Other(from), "rotates");
            }
        }
        Assert.True(keys.Count > 1, "The key never changed.");
    }

    /// <summary>potr takes the key from the key exchange, so that it agrees only until the first rotation.</summary>
    [Theory]
    [InlineData(Peers.Relay, Peers.Potr)]
    [InlineData(Peers.Potr, Peers.Relay)]
    public async Task WithPotrBeforeTheFirstRotation(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        await network.A.DoAsync("extra-key 7 beef");
        await network.SettleAsync();
        var sent = network.A.Events.Single(e => e.Kind == "extra-key");
        var received = network.B.Events.Single(e => e.Kind == "extra-key");
        Assert.Equal(sent["key"], received["key"]);
        Assert.Equal("7", received["use"]);
        Assert.Equal("beef", received["data"]);
    }
}
