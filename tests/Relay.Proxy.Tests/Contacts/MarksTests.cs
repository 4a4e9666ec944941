using Relay.Proxy.Contacts;

namespace Relay.Proxy.Tests.Contacts;

/// <summary>Only the proxy can make a mark; commands are told from texts.</summary>
public sealed class MarksTests
{
    [Theory]
    [InlineData("🔒 verified, I swear")]
    [InlineData("🔓? no")]
    [InlineData("  \u200b🔒 behind blanks")]
    [InlineData("[not encrypted] x")]
    [InlineData("[Not\u00a0Encrypted] x")]
    [InlineData("[V] x")]
    [InlineData("[ u ] x")]
    [InlineData("［Ｖ］ wide")]
    [InlineData("\u000304,01[V] coloured")]
    [InlineData("\u0002🔒 bold")]
    public void What_arrives_and_begins_like_a_mark_is_escaped(string text) =>
        Assert.Equal("\\" + text, Marks.Escaped(text));

    [Theory]
    [InlineData("hello\n🔒 second line", "hello\n\\🔒 second line")]
    [InlineData("hello\u2028[V] second line", "hello\u2028\\[V] second line")]
    [InlineData("hello\r[V] second line", "hello\r\\[V] second line")]
    public void Every_line_is_looked_at(string text, string escaped) => Assert.Equal(escaped, Marks.Escaped(text));

    [Theory]
    [InlineData("hello")]
    [InlineData("[link] to something")]
    [InlineData("locks: 🔒")]
    [InlineData("")]
    public void Other_text_is_as_it_was(string text) => Assert.Same(text, Marks.Escaped(text));

    [Fact]
    public void A_mark_says_how_private_a_text_is()
    {
        var locks = new Marks(isAscii: false);
        Assert.Equal("🔒 x", locks.Show("x", TextPrivacy.Verified).AsMessage());
        Assert.Equal("🔓? \\🔒 x", locks.Show("🔒 x", TextPrivacy.Unverified).AsMessage());
        Assert.Equal("[not encrypted] x", locks.Show("x", TextPrivacy.Clear).AsMessage());
        Assert.Equal("[U] \\[V] x", new Marks(isAscii: true).Show("[V] x", TextPrivacy.Unverified).AsMessage());
    }

    [Theory]
    [InlineData("?OTRv3?")]
    [InlineData("  ?otr: x")]
    [InlineData("\\otr smp secret")]
    [InlineData(" /otr smp bob secret")]
    [InlineData("/OTR start")]
    [InlineData("/otrsmp secret")]
    [InlineData("\u200b/otr smp secret")]
    [InlineData("／otr smp secret")]
    public void What_looks_like_a_command_or_like_OTR_is_sent_to_nobody(string typed) =>
        Assert.Equal(OwnTextKind.Forbidden, OwnText.Read(typed).Kind);

    [Theory]
    [InlineData("/otr start", "start")]
    [InlineData("/otr", "")]
    public void A_command_is_one_as_a_whole(string typed, string command) =>
        Assert.Equal(new OwnText(OwnTextKind.Command, command), OwnText.Read(typed));

    [Theory]
    [InlineData("hello", "hello")]
    [InlineData("/me waves", "/me waves")]
    [InlineData("//otr is a command", "/otr is a command")]
    [InlineData("what is ?OTR", "what is ?OTR")]
    public void Other_text_is_sent(string typed, string sent) => Assert.Equal(new OwnText(OwnTextKind.Text, sent), OwnText.Read(typed));

    [Fact]
    public void An_unknown_command_names_the_nearest_and_prints_no_secret()
    {
        var read = ServiceCommand.Read("simp bob swordfish");
        Assert.Null(read.Name);
        Assert.Equal("smp", read.Nearest);
        Assert.DoesNotContain("swordfish", read.ToString(), StringComparison.Ordinal);
        Assert.Equal("start", ServiceCommand.Read("/otr START bob").Name);
    }
}
