using System.Text;

namespace Interop.Tests;

/// <summary>Other ways into a private conversation than a query: whitespace tags, errors, required encryption.</summary>
public sealed class StartTests
{
    [Theory]
    [MemberData(nameof(Peers.Pairs), MemberType = typeof(Peers))]
    public async Task AWhitespaceTagStarts(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.A.DoAsync("policy v2 v3 send-tag");
        await network.B.DoAsync("policy v2 v3 whitespace-start");
        await network.A.SendAsync("good morning");
        await network.SettleAsync();
        Assert.Equal(["good morning"], network.B.Texts(encrypted: false));
        await network.AssertAgreedAsync();
        await network.SayAsync(network.A, "private now");
    }

    [Theory]
    [InlineData(Peers.Relay, Peers.Libotr)]
    [InlineData(Peers.Libotr, Peers.Relay)]
    public async Task AWhitespaceTagIsTakenOffAndIgnoredWhereNotWanted(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.A.DoAsync("policy v2 v3 send-tag");
        await network.A.SendAsync("good morning");
        Assert.True(network.A.Outbox.Peek().Length > "good morning".Length);
        await network.SettleAsync();
        Assert.Equal(["good morning"], network.B.Texts(encrypted: false));
        Assert.Equal("PLAINTEXT", (await network.B.StateAsync())["state"]);

        // An answer in the clear ends the offers.
        await network.B.SendAsync("no, thanks");
        await network.SettleAsync();
        await network.A.SendAsync("good night");
        Assert.Equal("good night", Encoding.UTF8.GetString(network.A.Outbox.Peek()));
    }

    [Theory]
    [MemberData(nameof(Peers.WithLibotr), MemberType = typeof(Peers))]
    public async Task RequiredEncryptionHoldsTheTextUntilPrivate(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.A.DoAsync("policy v3 require-encryption");
        await network.A.SendAsync("only in private");
        Assert.DoesNotContain("only in private", Encoding.UTF8.GetString(network.A.Outbox.Peek()));
        await network.SettleAsync();
        await network.AssertAgreedAsync();
        Assert.Equal(["only in private"], network.B.Texts(encrypted: true));
        Assert.Empty(network.B.Texts(encrypted: false));
    }

    [Theory]
    [MemberData(nameof(Peers.WithLibotr), MemberType = typeof(Peers))]
    public async Task AnErrorStartsAgain(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        await network.A.DoAsync("policy v3 error-start");
        var first = (await network.A.StateAsync())["ssid"];
        await network.A.DoAsync("pass 20"); // Otr.Core limits the queries that nobody asked for

        // Turned over on the way: unreadable at the other end.
        await network.A.SendAsync("damaged");
        var message = Network.Hold(network.A).Single();
        message[message.Length / 2] = message[message.Length / 2] == (byte)'A' ? (byte)'B' : (byte)'A';
        await network.B.ReceiveAsync(message);
        Assert.NotEmpty(network.B.Codes("error"));
        await network.SettleAsync();

        Assert.Contains("RCVDMSG_GENERAL_ERR", network.A.Codes("error"));
        await network.AssertAgreedAsync();
        Assert.NotEqual(first, (await network.A.StateAsync())["ssid"]);
        await network.SayAsync(network.A, "and on");
        await network.SayAsync(network.B, "it goes");
    }

    /// <summary>Two sides that answer each error by a query, and each unreadable message by an error, must come to rest.</summary>
    [Theory]
    [MemberData(nameof(Peers.WithLibotr), MemberType = typeof(Peers))]
    public async Task ErrorsBetweenTwoThatStartOnErrorComeToRest(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.A.DoAsync("policy always");
        await network.B.DoAsync("policy always");
        for (var n = 0; n < 5; n++)
        {
            await network.A.ReceiveAsync("?OTR Error: no"u8.ToArray());
            await network.B.ReceiveAsync("?OTR Error: no"u8.ToArray());
        }
        await network.SettleAsync(); // its bound fails the test if they do not
    }

    [Theory]
    [MemberData(nameof(Peers.WithLibotr), MemberType = typeof(Peers))]
    public async Task TextInTheClearPassesBothWays(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.A.SendAsync("nothing private");
        await network.B.SendAsync("nothing at all");
        await network.SettleAsync();
        Assert.Equal(["nothing private"], network.B.Texts(encrypted: false));
        Assert.Equal(["nothing at all"], network.A.Texts(encrypted: false));
    }
}
