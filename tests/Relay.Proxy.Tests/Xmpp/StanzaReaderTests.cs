using System.Text;
using Relay.Proxy.Xmpp;

namespace Relay.Proxy.Tests.Xmpp;

/// <summary>A stream is cut into stanzas byte-true; what is hostile ends it, within bounds.</summary>
public sealed class StanzaReaderTests
{
    private const string Start = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

    [Fact]
    public async Task Stanzas_come_as_they_were_written()
    {
        string[] stanzas =
        [
            "<message  to = \"a>b\"><body>1 &lt; 2 <![CDATA[ </body> ]]></body></message>", "<presence/>",
            "<iq type='get'><x xmlns='u:x' a='/'/></iq>", "<message><body>grün 🔒</body></message>",
        ];
        var reader = Reader(Start + string.Join(" ", stanzas) + "</stream:stream>");
        Assert.IsType<StanzaRead.Start>(await reader.ReadAsync(default));
        foreach (var stanza in stanzas)
        {
            StanzaRead read;
            do read = await reader.ReadAsync(default);
            while (read is StanzaRead.Blank);
            Assert.Equal(stanza, Encoding.UTF8.GetString(Assert.IsType<StanzaRead.Stanza>(read).Bytes));
        }
        Assert.IsType<StanzaRead.End>(await reader.ReadAsync(default));
    }

    [Theory]
    [InlineData("<!DOCTYPE x [<!ENTITY a 'b'>]><message/>")]
    [InlineData("<message><body>&a;</body></message>")]
    [InlineData("<message><!-- a comment --></message>")]
    [InlineData("<message><?php x?></message>")]
    [InlineData("<message><body>&#0;</body></message>")]
    [InlineData("<message><body>\u0001</body></message>")]
    [InlineData("<message a='1' a='2'/>")]
    [InlineData("<x:message/>")]
    [InlineData("<message><body></message></body>")]
    [InlineData("text")]
    [InlineData("<message a='<'/>")]
    public async Task What_is_no_restricted_XML_ends_the_stream(string xml)
    {
        var reader = Reader(Start + xml);
        await reader.ReadAsync(default);
        Assert.IsType<StanzaRead.End>(await reader.ReadAsync(default));
    }

    [Fact]
    public async Task Depth_attributes_and_size_are_bounded()
    {
        foreach (var (xml, reason) in new[]
        {
            (string.Concat(Enumerable.Repeat("<a>", 200_000)), "too deep"),
            ("<a" + string.Concat(Enumerable.Range(0, 10_000).Select(i => $" a{i}='1'")) + "/>", "too many attributes"),
            ("<a b='" + new string('x', 64 * 1024 * 1024) + "'/>", "more than 1048576 bytes"),
        })
        {
            var reader = Reader(Start + xml);
            await reader.ReadAsync(default);
            Assert.Contains(reason, Assert.IsType<StanzaRead.End>(await reader.ReadAsync(default)).Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Invalid_UTF_8_ends_the_stream()
    {
        var reader = new StanzaReader(new MemoryStream([.. Encoding.UTF8.GetBytes(Start + "<message><body>"), 0xc3, 0x28, .. "</body></message>"u8]));
        await reader.ReadAsync(default);
        Assert.IsType<StanzaRead.End>(await reader.ReadAsync(default));
    }

    private static StanzaReader Reader(string xml) => new(new MemoryStream(Encoding.UTF8.GetBytes(xml)));
}
