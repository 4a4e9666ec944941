namespace Interop.Tests;

/// <summary>What happens to a session over time: heartbeats, and a side that forgets everything.</summary>
public sealed class SessionLifeTests
{
    [Theory]
    [MemberData(nameof(Peers.WithLibotr), MemberType = typeof(Peers))]
    public async Task AfterSilenceATextIsAnsweredByOneHeartbeat(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        await network.SayAsync(network.A, "hello");
        await network.SayAsync(network.B, "hello");
        foreach (var from in new[] { network.A, network.B })
        {
            var to = network.Other(from);
            await from.DoAsync("pass 100");
            await to.DoAsync("pass 100");
            await from.SendAsync("after a long silence");
            await network.SettleAsync();
            Assert.Equal("after a long silence", to.Texts(encrypted: true).Last());
            Assert.Single(to.Codes("note"), "LOG_HEARTBEAT_SENT");
            Assert.Single(from.Codes("note"), "LOG_HEARTBEAT_RCVD");
            await network.SayAsync(from, "no heartbeat now");
            Assert.Single(to.Codes("note"), "LOG_HEARTBEAT_SENT");
        }
    }

    [Theory]
    [InlineData(Peers.Relay, true)]
    [InlineData(Peers.Relay, false)]
    [InlineData(Peers.RestartingRelay, true)]
    public async Task LibotrForgetsEverythingAndIsSpokenToAgain(string relay, bool sameInstance)
    {
        var key = Path.GetTempFileName();
        try
        {
            await using var alice = await Peers.StartAsync(relay, "alice", "bob");
            await using (var bob = await Peers.StartAsync(Peers.Libotr, "bob", "alice"))
            {
                var network = new Network(alice, bob);
                await bob.DoAsync("genkey " + key);
                await bob.DoAsync("instag abcd1234");
                await network.MakePrivateAsync();
                await network.SayAsync(alice, "before");
                await network.SayAsync(bob, "before");
                network.Drop();
            }

            await using var again = await Peers.StartAsync(Peers.Libotr, "bob", "alice");
            await again.DoAsync("loadkey " + key);
            await again.DoAsync(sameInstance ? "instag abcd1234" : "instag abcd5678");
            var second = new Network(alice, again);
            await alice.SendAsync("nobody can read this");
            await second.SettleAsync();
            Assert.Empty(again.Texts(encrypted: true));
            await again.DoAsync("start");
            await second.SettleAsync();
            await second.AssertAgreedAsync();
            await second.SayAsync(again, "after");
            await second.SayAsync(alice, "after");
        }
        finally
        {
            File.Delete(key);
        }
    }

    [Fact]
    public async Task OtrCoreForgetsEverythingAndIsSpokenToAgain()
    {
        await using var bob = await Peers.StartAsync(Peers.Libotr, "bob", "alice");
        await using (var alice = await Peers.StartAsync(Peers.Relay, "alice", "bob"))
        {
            await alice.DoAsync("instag abcd1234");
            await new Network(alice, bob).MakePrivateAsync();
            bob.Outbox.Clear();
        }
        await using var again = await Peers.StartAsync(Peers.Relay, "alice", "bob");
        await again.DoAsync("instag abcd1234");
        var network = new Network(again, bob);
        await bob.DoAsync("policy manual error-start");
        await bob.SendAsync("nobody can read this");
        await network.SettleAsync();
        Assert.Contains("RCVDMSG_NOT_IN_PRIVATE", again.Codes("error"));
        Assert.DoesNotContain("nobody can read this", again.Texts(encrypted: false));
        await again.DoAsync("start");
        await network.SettleAsync();
        await network.AssertAgreedAsync();
        Assert.Equal(2, bob.Events.Count(e => e.Kind == "fingerprint" && e.Flag("new")));
        await network.SayAsync(again, "after");
        await network.SayAsync(bob, "after");
    }

    [Theory]
    [InlineData(Peers.Relay, Peers.Libotr)]
    [InlineData(Peers.Libotr, Peers.Relay)]
    public async Task KeyFilesAreExchangeable(string writer, string reader)
    {
        var file = Path.GetTempFileName();
        try
        {
            await using var wrote = await Peers.StartAsync(writer, "alice", "bob");
            await wrote.DoAsync("genkey " + file);
            await using var network = new Network(await Peers.StartAsync(reader, "alice", "bob"), await Peers.StartAsync(Peers.Libotr, "bob", "alice"));
            await network.A.DoAsync("loadkey " + file);
            var fingerprint = (await wrote.DoAsync("fingerprint")).Events.Single()["hex"];
            await network.MakePrivateAsync();
            Assert.Equal(fingerprint, (await network.B.StateAsync())["peer_fingerprint"]);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
