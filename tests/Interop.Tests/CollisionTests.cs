namespace Interop.Tests;

/// <summary>
/// Both sides start at once. libotr by itself stays stuck (it answers every commit with a D-H Key on its master context);
/// Otr.Core asks again after a while, once.
/// </summary>
public sealed class CollisionTests
{
    /// <summary>Longer than the longest wait before Otr.Core asks again, and shorter than libotr keeps its secrets.</summary>
    private const int Patience = 30;

    private static async Task SettleWithPatienceAsync(Network network)
    {
        await network.SettleAsync();
        for (var n = 0; n < 3 && !await BothPrivateAsync(network); n++)
        {
            await network.A.DoAsync($"pass {Patience}");
            await network.B.DoAsync($"pass {Patience}");
            await network.SettleAsync();
        }
        await network.AssertAgreedAsync();
    }

    private static async Task<bool> BothPrivateAsync(Network network)
    {
        PeerEvent a = await network.A.StateAsync(), b = await network.B.StateAsync();
        return a["state"] == "ENCRYPTED" && b["state"] == "ENCRYPTED" && a["ssid"] == b["ssid"];
    }

    [Theory]
    [MemberData(nameof(Peers.Pairs), MemberType = typeof(Peers))]
    public async Task CrossingQueriesSettle(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.A.DoAsync("start");
        await network.B.DoAsync("start");
        await SettleWithPatienceAsync(network);
        await network.SayAsync(network.A, "settled");
        await network.SayAsync(network.B, "indeed");
    }

    [Theory]
    [MemberData(nameof(Peers.Pairs), MemberType = typeof(Peers))]
    public async Task CrossingCommitsSettleInEitherOrder(string a, string b)
    {
        // The hashes of the commits decide, so that several runs meet both outcomes; and the replies cross in both orders.
        for (var run = 0; run < 4; run++)
        {
            await using var network = await Peers.ConnectAsync(a, b);
            await network.A.DoAsync("start");
            await network.B.DoAsync("start");
            await network.DeliverAsync(network.A);
            await network.DeliverAsync(network.B);
            await network.DeliverAsync(run % 2 == 0 ? network.A : network.B);
            await SettleWithPatienceAsync(network);
            await network.SayAsync(run % 2 == 0 ? network.A : network.B, "settled");
            await network.SayAsync(run % 2 == 0 ? network.B : network.A, "indeed");
        }
    }

    [Theory]
    [MemberData(nameof(Peers.WithLibotr), MemberType = typeof(Peers))]
    public async Task CrossingQueriesWhilePrivateSettle(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        await network.A.DoAsync("start");
        await network.B.DoAsync("start");
        await SettleWithPatienceAsync(network);
        await network.SayAsync(network.A, "settled");
        await network.SayAsync(network.B, "indeed");
    }
}
