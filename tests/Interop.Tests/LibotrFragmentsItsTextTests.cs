namespace Interop.Tests;

/// <summary>
/// libotr cuts whatever it sends through its own path into fragments, its query (with required encryption) and its tagged
/// text, too, and before any exchange with the header of version 2.
/// </summary>
public sealed class LibotrFragmentsItsTextTests
{
    /// <summary>
    /// libotr's query has commas in it, which a piece must not have: Otr.Core refuses such pieces as the specification says,
    /// and what was typed arrives as soon as libotr asks by a whole query.
    /// </summary>
    [Theory]
    [InlineData(Peers.Relay)]
    [InlineData(Peers.RestartingRelay)]
    public async Task AQueryInFragmentsIsRefusedAndAWholeOneStarts(string other)
    {
        await using var network = await Peers.ConnectAsync(Peers.Libotr, other);
        await network.A.DoAsync("fragment 100");
        await network.A.DoAsync("policy v3 require-encryption");
        await network.A.SendAsync("only in private");
        Assert.True(network.A.Outbox.Count > 1);
        Assert.All(network.A.Outbox, piece => Assert.StartsWith("?OTR,", System.Text.Encoding.ASCII.GetString(piece)));
        await network.SettleAsync();
        Assert.Contains("RCVDMSG_MALFORMED", network.B.Codes("error"));
        Assert.Empty(network.B.Texts(encrypted: false));

        await network.MakePrivateAsync(network.A);
        Assert.Equal(["only in private"], network.B.Texts(encrypted: true));
    }

    [Theory]
    [InlineData(Peers.Relay)]
    [InlineData(Peers.RestartingRelay)]
    [InlineData(Peers.Libotr)]
    public async Task ATaggedTextInFragmentsIsTextAndStarts(string other)
    {
        var text = "a long text " + new string('z', 200);
        await using var network = await Peers.ConnectAsync(Peers.Libotr, other);
        await network.A.DoAsync("fragment 100");
        await network.A.DoAsync("policy v2 v3 send-tag");
        await network.B.DoAsync("policy v2 v3 whitespace-start");
        await network.A.SendAsync(text);
        Assert.True(network.A.Outbox.Count > 1);
        await network.SettleAsync();
        Assert.Equal([text], network.B.Texts(encrypted: false));
        await network.AssertAgreedAsync();
    }
}
