using Relay.Bridges.Xmpp;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>Headers of OTR text, taken apart by hand as the protocol's specification lays them out.</summary>
public sealed class OtrTextTests
{
    [Fact]
    public void The_kinds_are_told_apart()
    {
        Assert.Equal(OtrTextKind.Plain, OtrText.Read("hello ?OTR?").Kind);
        Assert.Equal(OtrTextKind.Plain, OtrText.Read(" ?OTRv3?").Kind);
        Assert.Equal(OtrTextKind.Tagged, OtrText.Read("hi \t  \t\t\t\t \t \t \t    \t\t  \t").Kind);
        Assert.Equal(OtrTextKind.Query, OtrText.Read("?OTRv23?\nplease").Kind);
        Assert.Equal(OtrTextKind.Query, OtrText.Read("?OTR?v3?").Kind);
        Assert.Equal(OtrTextKind.Error, OtrText.Read("?OTR Error: x").Kind);
        Assert.Equal(OtrTextKind.Data, OtrText.Read("?OTR:").Kind);
        Assert.Equal(OtrTextKind.Data, OtrText.Read("?OTR,1,3,?OTR:AAID,").Kind);
        Assert.Equal(OtrTextKind.Data, OtrText.Read("?OTR|zz|yy,1").Kind);
        Assert.Equal(OtrTextKind.Data, OtrText.Read("?OTR:****************").Kind);
    }

    [Theory]
    // Version 3, type, sender 0x00000101, receiver 0x0a0b0c0d.
    [InlineData("00030300000101" + "0a0b0c0d" + "00", "Data", 0x101u, 0x0a0b0c0du)]
    [InlineData("00030200000101" + "00000000" + "00", "Commit", 0x101u, 0u)]
    // Version 2 has no tags.
    [InlineData("00020300000101" + "0a0b0c0d" + "00", "Data", 0u, 0u)]
    [InlineData("00020200000101" + "0a0b0c0d" + "00", "Commit", 0u, 0u)]
    public void A_message_names_its_instances(string header, string kind, uint sender, uint receiver)
    {
        var read = OtrText.Read($"?OTR:{Convert.ToBase64String(Convert.FromHexString(header))}AAAA.");
        Assert.Equal((kind, sender, receiver), (read.Kind.ToString(), read.Sender, read.Receiver));
    }

    [Fact]
    public void A_fragment_names_its_instances() =>
        Assert.Equal(new OtrText(OtrTextKind.Data, 0x5a73a599, 0x27e31597), OtrText.Read("?OTR|5a73a599|27e31597,00001,00003,?OTR:AAMD,"));
}
