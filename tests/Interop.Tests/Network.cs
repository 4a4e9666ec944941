namespace Interop.Tests;

/// <summary>
/// Carries wire messages between two peers, in order unless told otherwise. Nothing moves by itself: a test delivers,
/// drops, reorders or holds.
/// </summary>
public sealed class Network(Peer a, Peer b) : IAsyncDisposable
{
    /// <summary>More messages than any exchange here causes: two peers that answer each other for ever are a failure.</summary>
    private const int MostMessages = 20_000;

    public Peer A { get; } = a;
    public Peer B { get; } = b;

    public Peer Other(Peer peer) => peer == A ? B : A;

    /// <summary>Delivers until nobody has anything to say.</summary>
    public async Task SettleAsync()
    {
        for (var n = 0; A.Outbox.Count + B.Outbox.Count > 0; n++)
        {
            Assert.True(n < MostMessages, "The peers do not stop answering each other.");
            var from = A.Outbox.Count > 0 && (n % 2 == 0 || B.Outbox.Count == 0) ? A : B;
            await DeliverAsync(from);
        }
    }

    /// <summary>Delivers the oldest message of a peer.</summary>
    public Task<PeerReply> DeliverAsync(Peer from) => Other(from).ReceiveAsync(from.Outbox.Dequeue());

    /// <summary>Takes everything that a peer has sent out of the network: to be lost, or given back in another order.</summary>
    public static List<byte[]> Hold(Peer from)
    {
        var held = from.Outbox.ToList();
        from.Outbox.Clear();
        return held;
    }

    /// <summary>Loses everything under way.</summary>
    public void Drop()
    {
        A.Outbox.Clear();
        B.Outbox.Clear();
    }

    /// <summary>A starts; both become private and agree on everything that is shared.</summary>
    public async Task MakePrivateAsync(Peer? starter = null)
    {
        await (starter ?? A).DoAsync("start");
        await SettleAsync();
        await AssertAgreedAsync();
    }

    /// <summary>Both are ENCRYPTED with one version, session id, opposite bold halves, each other's fingerprint and tags.</summary>
    public async Task AssertAgreedAsync()
    {
        PeerEvent left = await A.StateAsync(), right = await B.StateAsync();
        Assert.Equal("ENCRYPTED", left["state"]);
        Assert.Equal("ENCRYPTED", right["state"]);
        Assert.Equal(left["version"], right["version"]);
        Assert.Equal(16, left["ssid"]!.Length);
        Assert.Equal(left["ssid"], right["ssid"]);
        Assert.NotEqual(left["ssid_bold"], right["ssid_bold"]);
        Assert.Equal(await FingerprintAsync(A), right["peer_fingerprint"]);
        Assert.Equal(await FingerprintAsync(B), left["peer_fingerprint"]);
        Assert.Equal(left["our_instag"], right["their_instag"]);
        Assert.Equal(left["their_instag"], right["our_instag"]);
        if (left["version"] == "3") Assert.NotNull(left["our_instag"]);
    }

    /// <summary>Sends one text, delivers everything, and requires that it alone arrived, encrypted.</summary>
    public async Task SayAsync(Peer from, string text)
    {
        var to = Other(from);
        var before = to.Texts(encrypted: true).Count();
        var clear = to.Texts(encrypted: false).Count();
        await from.SendAsync(text);
        await SettleAsync();
        Assert.Equal([text], to.Texts(encrypted: true).Skip(before));
        Assert.Equal(clear, to.Texts(encrypted: false).Count());
    }

    public async ValueTask DisposeAsync()
    {
        await A.DisposeAsync();
        await B.DisposeAsync();
    }

    private static async Task<string> FingerprintAsync(Peer peer)
    {
        var reply = await peer.DoAsync("fingerprint");
        return reply.Events.Single(e => e.Kind == "fingerprint" && e["who"] == "own")["hex"]!;
    }
}
