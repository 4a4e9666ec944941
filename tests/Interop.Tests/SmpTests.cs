namespace Interop.Tests;

/// <summary>The socialist millionaires' protocol with each implementation in each role.</summary>
public sealed class SmpTests
{
    [Theory]
    [MemberData(nameof(Peers.Pairs), MemberType = typeof(Peers))]
    public async Task EqualSecretsSucceed(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        await RunAsync(network, "smp-start b64:w6RiYw==", "smp-answer b64:w6RiYw==", "ask-secret");
        Assert.Equal("success", network.A.Smp.Last());
        Assert.Equal("success", network.B.Smp.Last());
        await network.SayAsync(network.A, "and on");
    }

    [Theory]
    [MemberData(nameof(Peers.Pairs), MemberType = typeof(Peers))]
    public async Task DifferentSecretsFailForBoth(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        await RunAsync(network, "smp-start one", "smp-answer another", "ask-secret");
        Assert.DoesNotContain("success", network.A.Smp);
        Assert.Contains("failure", network.B.Smp);
        // potr answers a mismatch with an abort instead of message 4, so that its starter sees that.
        Assert.Contains(network.A.Smp.Last(), b == Peers.Potr ? ["abort", "failure"] : new[] { "failure" });

        await RunAsync(network, "smp-start same", "smp-answer same", "ask-secret");
        Assert.Equal("success", network.A.Smp.Last());
        Assert.Equal("success", network.B.Smp.Last());
    }

    [Theory]
    [MemberData(nameof(Peers.Pairs), MemberType = typeof(Peers))]
    public async Task AQuestionIsAsked(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        await RunAsync(network, "smp-start Kiel Wo wohnt Jörg?", "smp-answer Kiel", "ask-answer");
        Assert.Equal("Wo wohnt Jörg?", network.B.Events.Single(e => e["what"] == "ask-answer")["question"]);
        Assert.Equal("success", network.A.Smp.Last());
        Assert.Equal("success", network.B.Smp.Last());
    }

    [Theory]
    [MemberData(nameof(Peers.Pairs), MemberType = typeof(Peers))]
    public async Task EitherSideAborts(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        foreach (var quitter in new[] { network.A, network.B })
        {
            await network.A.DoAsync("smp-start secret");
            await network.SettleAsync();
            await quitter.DoAsync("smp-abort");
            await network.SettleAsync();
            Assert.Equal("abort", network.Other(quitter).Smp.Last());
            Assert.False((await network.B.TryAsync("smp-answer secret")).Ok && quitter == network.A);
            await network.SettleAsync();
            await network.B.TryAsync("smp-abort");
            await network.SettleAsync();
        }
        await RunAsync(network, "smp-start secret", "smp-answer secret", "ask-secret");
        Assert.Equal("success", network.A.Smp.Last());
        Assert.Equal("success", network.B.Smp.Last());
    }

    [Theory]
    [MemberData(nameof(Peers.WithLibotr), MemberType = typeof(Peers))]
    public async Task BothStartAtOnceAndThenOneStartsAgain(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        await network.A.DoAsync("smp-start secret");
        await network.B.DoAsync("smp-start secret");
        await network.SettleAsync();
        Assert.DoesNotContain("success", network.A.Smp);
        await network.A.DoAsync("smp-abort");
        await network.SettleAsync();
        await RunAsync(network, "smp-start secret", "smp-answer secret", "ask-secret");
        Assert.Equal("success", network.A.Smp.Last());
        Assert.Equal("success", network.B.Smp.Last());
    }

    [Theory]
    [MemberData(nameof(Peers.WithLibotr), MemberType = typeof(Peers))]
    public async Task ANewKeyExchangeInTheMiddleWipesIt(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        await network.A.DoAsync("smp-start secret");
        await network.SettleAsync();
        await network.MakePrivateAsync(network.B);
        await network.A.TryAsync("smp-abort"); // libotr keeps its old state
        await network.B.TryAsync("smp-abort");
        await network.SettleAsync();
        await RunAsync(network, "smp-start secret", "smp-answer secret", "ask-secret");
        Assert.Equal("success", network.A.Smp.Last());
        Assert.Equal("success", network.B.Smp.Last());
    }

    [Theory]
    [InlineData(Peers.Relay, Peers.Libotr)]
    [InlineData(Peers.Libotr, Peers.Relay)]
    public async Task InFragments(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.A.DoAsync("fragment 200");
        await network.B.DoAsync("fragment 200");
        await network.MakePrivateAsync();
        await RunAsync(network, "smp-start secret", "smp-answer secret", "ask-secret");
        Assert.Equal("success", network.A.Smp.Last());
        Assert.Equal("success", network.B.Smp.Last());
    }

    private static async Task RunAsync(Network network, string start, string answer, string asked)
    {
        await network.A.DoAsync(start);
        await network.SettleAsync();
        Assert.Equal(asked, network.B.Smp.Last());
        await network.B.DoAsync(answer);
        await network.SettleAsync();
    }
}
