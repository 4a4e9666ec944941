using System.Text;

namespace Interop.Tests;

/// <summary>Text in a private conversation: many, long, odd, lost, repeated and out of order.</summary>
public sealed class TrafficTests
{
    [Theory]
    [MemberData(nameof(Peers.Pairs), MemberType = typeof(Peers))]
    public async Task TwoHundredAlternatingMessages(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        for (var n = 0; n < 100; n++)
        {
            await network.SayAsync(network.A, $"to {n}");
            await network.SayAsync(network.B, $"fro {n}");
        }
        Assert.Empty(network.A.Codes("error"));
        Assert.Empty(network.B.Codes("error"));
    }

    [Theory]
    [MemberData(nameof(Peers.Pairs), MemberType = typeof(Peers))]
    public async Task BurstsThatCross(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        var sent = new Dictionary<Peer, List<string>> { [network.A] = [], [network.B] = [] };
        for (var burst = 0; burst < 5; burst++)
        {
            for (var n = 0; n < 10; n++)
            {
                foreach (var peer in sent.Keys)
                {
                    var text = $"{peer.Name} {burst}.{n}";
                    sent[peer].Add(text);
                    await peer.SendAsync(text);
                }
            }
            await network.SettleAsync();
        }
        Assert.Equal(sent[network.A], network.B.Texts(encrypted: true));
        Assert.Equal(sent[network.B], network.A.Texts(encrypted: true));
    }

    public static TheoryData<string> Texts => new()
    {
        "a",
        " ",
        "Grüße aus Köln, привет, שלום, 你好, 🏳️‍🌈 e\u0301",
        "\u0001\r\n\t\u001b[0m\u007f\ufeff\ufffd",
        "<b>markup</b> & %n%s%x \\ \" '",
        "?OTRv23? inside",
        "?OTR Error: inside",
        "?OTR:AAMDinside.",
        "before \u0020\u0009\u0020\u0020\u0009\u0009\u0009\u0009\u0020\u0009\u0020\u0009\u0020\u0009\u0020\u0020 after",
        new string('x', 10_000),
        string.Concat(Enumerable.Repeat("äöü€", 6_600)), // 60 kB
    };

    [Theory]
    [MemberData(nameof(Texts))]
    public async Task ATextArrivesAsItWasSent(string text)
    {
        await using var network = await Peers.ConnectAsync(Peers.Relay, Peers.Libotr);
        await network.MakePrivateAsync();
        await network.SayAsync(network.A, text);
        // libotr takes a text that looks like a query for one and does not encrypt it: its own habit.
        if (!text.StartsWith("?OTRv", StringComparison.Ordinal)) await network.SayAsync(network.B, text);
        await network.SayAsync(network.A, "and on");
        await network.SayAsync(network.B, "it goes");
    }

    [Fact]
    public async Task BytesThatAreNotUtf8ArriveAsTheyAre()
    {
        await using var network = await Peers.ConnectAsync(Peers.Relay, Peers.Libotr);
        await network.MakePrivateAsync();
        byte[] odd = [0xff, 0xfe, 0xc0, 0x80, (byte)'!'];
        await network.B.SendAsync(odd);
        await network.SettleAsync();
        Assert.Equal(odd, network.A.Events.Last(e => e.Kind == "plain").Data);
    }

    [Fact]
    public async Task AnEmptyTextDisturbsNobody()
    {
        await using var network = await Peers.ConnectAsync(Peers.Relay, Peers.Libotr);
        await network.MakePrivateAsync();
        await network.A.SendAsync("");
        await network.B.SendAsync("");
        await network.SettleAsync();
        Assert.Contains("LOG_HEARTBEAT_RCVD", network.A.Codes("note")); // on the wire an empty text is a heartbeat
        Assert.Contains("LOG_HEARTBEAT_RCVD", network.B.Codes("note"));
        await network.SayAsync(network.A, "still here");
        await network.SayAsync(network.B, "me, too");
    }

    [Theory]
    [MemberData(nameof(Peers.Pairs), MemberType = typeof(Peers))]
    public async Task ALostMessageIsAllThatIsLost(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        for (var n = 0; n < 6; n++)
        {
            await network.SayAsync(network.A, $"to {n}");
            await network.A.SendAsync("lost");
            await network.B.SendAsync("lost as well");
            network.Drop();
            await network.SayAsync(network.B, $"fro {n}");
        }
        Assert.DoesNotContain("lost", network.B.Texts(encrypted: true));
    }

    [Theory]
    [MemberData(nameof(Peers.WithLibotr), MemberType = typeof(Peers))]
    public async Task OfTwoThatChangePlacesTheOlderIsDropped(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        foreach (var from in new[] { network.A, network.B })
        {
            var to = network.Other(from);
            await network.SayAsync(from, "key ids settle");
            await from.SendAsync("older");
            await from.SendAsync("newer");
            var held = Network.Hold(from);
            await to.ReceiveAsync(held[1]);
            await to.ReceiveAsync(held[0]);
            Assert.Contains("newer", to.Texts(encrypted: true));
            Assert.DoesNotContain("older", to.Texts(encrypted: true));
            Assert.Contains("RCVDMSG_UNREADABLE", to.Codes("error"));
            network.Drop(); // the error message
            await network.SayAsync(to, "and on");
            await network.SayAsync(from, "it goes");
        }
    }

    [Theory]
    [MemberData(nameof(Peers.WithLibotr), MemberType = typeof(Peers))]
    public async Task AReplayIsRefused(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        foreach (var from in new[] { network.A, network.B })
        {
            var to = network.Other(from);
            await from.SendAsync("once");
            var message = Network.Hold(from).Single();
            await to.ReceiveAsync(message);
            await to.ReceiveAsync(message);
            network.Drop();
            await network.SayAsync(to, "rotates");
            await to.ReceiveAsync(message);
            network.Drop();
            await network.SayAsync(from, "rotates");
            await to.ReceiveAsync(message);
            network.Drop();
            Assert.Single(to.Texts(encrypted: true), "once");
        }
    }

    [Theory]
    [MemberData(nameof(Peers.WithLibotr), MemberType = typeof(Peers))]
    public async Task PlaintextInAPrivateConversationIsMarked(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        foreach (var peer in new[] { network.A, network.B })
        {
            await peer.ReceiveAsync(Encoding.UTF8.GetBytes("in the clear"));
            Assert.Equal(["in the clear"], peer.Texts(encrypted: false));
            Assert.Contains("RCVDMSG_UNENCRYPTED", peer.Codes("error"));
        }
    }
}
