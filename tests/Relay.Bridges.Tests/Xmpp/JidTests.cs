using Relay.Bridges.Xmpp;
using Relay.V1;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>Addresses: what servers were seen to make of them (checklist, section C), and what no server accepts.</summary>
public sealed class JidTests
{
    [Theory]
    [InlineData("Bot@OTR.LocalHost/R", "bot@otr.localhost/R")]
    [InlineData("\uff22ot@otr.localhost", "bot@otr.localhost")]
    [InlineData("stra\u00dfe@otr.localhost", "strasse@otr.localhost")]
    [InlineData("\u039f\u03b4\u03bf\u03c2@otr.localhost", "\u03bf\u03b4\u03bf\u03c3@otr.localhost")]
    [InlineData("joe\\40x.org@otr.localhost", "joe\\40x.org@otr.localhost")]
    [InlineData("a@B\u00dcCHER.example", "a@b\u00fccher.example")]
    [InlineData("a@xn--bcher-kva.example", "a@b\u00fccher.example")]
    [InlineData("a@example.org.", "a@example.org")]
    [InlineData("example.org", "example.org")]
    [InlineData("a@example.org/x/y@z", "a@example.org/x/y@z")]
    [InlineData("a@127.0.0.1", "a@127.0.0.1")]
    public void Equal_addresses_are_made_equal(string text, string normal)
    {
        Assert.True(Jid.TryParse(text, out var jid));
        Assert.Equal(normal, jid.ToString());
        Assert.True(Jid.TryParse(normal, out var again));
        Assert.Equal(jid, again);
    }

    [Theory]
    [InlineData("")]
    [InlineData("@example.org")]
    [InlineData("a@")]
    [InlineData("a@example.org/")]
    [InlineData("a b@example.org")]
    [InlineData("a\"b@example.org")]
    [InlineData("a@exam ple.org")]
    [InlineData("a@b@example.org")]
    [InlineData("a@example..org")]
    [InlineData("a\u0007@example.org")]
    [InlineData("a@example.org/\u0000")]
    public void What_is_no_address_is_none(string text) => Assert.False(Jid.TryParse(text, out _));

    [Fact]
    public void Each_part_has_at_most_1023_bytes()
    {
        Assert.True(Jid.TryParse(new string('a', 1023) + "@example.org/" + new string('r', 1023), out _));
        Assert.False(Jid.TryParse(new string('a', 1024) + "@example.org", out _));
        Assert.False(Jid.TryParse(new string('\u00e9', 512) + "@example.org", out _));
        Assert.False(Jid.TryParse("a@example.org/" + new string('r', 1024), out _));
    }

    /// <summary>One function for endpoints' accounts and for what arrives: BOT@… and bot@… are one endpoint.</summary>
    [Theory]
    [InlineData("xmpp", "BOT@Otr.Example.org", "bot@otr.example.org")]
    [InlineData("xmpp", "bot@example.org", null)]
    [InlineData("xmpp", "bot@otr.example.org/home", null)]
    [InlineData("xmpp", "otr.example.org", null)]
    [InlineData("irc", "bot@otr.example.org", null)]
    public void A_component_carries_the_accounts_of_its_domain(string network, string account, string? address) =>
        Assert.Equal(address, XmppNetwork.AddressIn("OTR.example.org")(new Endpoint { Network = network, Account = account }));
}
