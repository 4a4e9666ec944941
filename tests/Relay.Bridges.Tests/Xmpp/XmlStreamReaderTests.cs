using System.Text;
using Relay.Bridges.Xmpp;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>Hostile XML is a value: it costs the connection or the stanza, never more than the bounds, and never an exception.</summary>
public sealed class XmlStreamReaderTests
{
    private const string Start = "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='1'>";

    [Fact]
    public async Task A_stanza_is_read_as_it_is()
    {
        var read = await ReadAsync("<message from='a@x' to='b@y'><body>a &lt;&amp;&#x41;\n <![CDATA[<b>]]> </body><x xmlns='urn:z' a='1'/></message>");
        var message = Assert.IsType<StreamRead.Element>(read[0]).Value;
        Assert.True(message.Is("message", "jabber:component:accept"));
        Assert.Equal("a@x", message["from"]);
        Assert.Equal("a <&A\n <b> ", message.Child("body", "jabber:component:accept")!.Text);
        Assert.Equal("1", message.Child("x", "urn:z")!["a"]);
    }

    /// <summary>A stanza is there as soon as its bytes are, on a connection that stays open.</summary>
    [Fact]
    public async Task A_stanza_is_read_before_the_next_begins()
    {
        using var pipe = new PipeStream();
        using var reader = new XmlStreamReader(pipe);
        pipe.Feed(Start);
        Assert.IsType<StreamRead.Element>(await reader.ReadAsync().WaitAsync(TimeSpan.FromSeconds(20)));
        var next = reader.ReadAsync();
        pipe.Feed("<message><body>x</bo");
        await Task.Delay(50);
        Assert.False(next.IsCompleted);
        pipe.Feed("dy></message>");
        Assert.IsType<StreamRead.Element>(await next.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Theory]
    [InlineData("<!DOCTYPE a [<!ENTITY x 'xxxxxxxxxx'><!ENTITY y '&x;&x;&x;'>]><a>&y;</a>")]
    [InlineData("<message><body>&unknown;</body></message>")]
    [InlineData("<message><body>&#0;</body></message>")]
    [InlineData("<message><body>&#xFFFE;</body></message>")]
    [InlineData("<message><body>\u0001</body></message>")]
    [InlineData("<message><x:y/></message>")]
    [InlineData("<message></body></message>")]
    [InlineData("<message a='1' a='2'/>")]
    public async Task What_is_not_acceptable_ends_the_stream(string xml) =>
        Assert.IsType<StreamRead.End>((await ReadAsync(xml + "<message/>"))[0]);

    /// <summary>A bomb in front of the stream's start.</summary>
    [Fact]
    public async Task A_document_type_is_refused()
    {
        var bomb = "<!DOCTYPE b [<!ENTITY a0 'x'>" + string.Concat(Enumerable.Range(1, 60).Select(i => $"<!ENTITY a{i} '&a{i - 1};&a{i - 1};'>")) + "]>" + "<b>&a60;</b>";
        using var reader = new XmlStreamReader(new MemoryStream(Encoding.UTF8.GetBytes(bomb)));
        Assert.Contains("document type", Assert.IsType<StreamRead.End>(await reader.ReadAsync()).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Invalid_UTF8_ends_the_stream()
    {
        byte[] bytes = [.. Encoding.UTF8.GetBytes(Start + "<message><body>"), 0xc3, 0x28, 0xff, .. Encoding.UTF8.GetBytes("</body></message>")];
        using var reader = new XmlStreamReader(new MemoryStream(bytes));
        await reader.ReadAsync();
        Assert.IsType<StreamRead.End>(await reader.ReadAsync());
    }

    [Fact]
    public async Task A_depth_of_200_000_costs_its_stanza_and_nothing_else()
    {
        var deep = string.Concat(Enumerable.Repeat("<a>", 100_000)) + string.Concat(Enumerable.Repeat("</a>", 100_000));
        var read = await ReadAsync(deep + "<message id='2'/>");
        Assert.Equal("DEPTH", Assert.IsType<StreamRead.Dropped>(read[0]).Reason);
        Assert.Equal("2", Assert.IsType<StreamRead.Element>(read[1]).Value["id"]);
    }

    [Fact]
    public async Task Open_elements_without_an_end_are_cut_off()
    {
        var stream = new EndlessStream(Start, "<a>");
        using var reader = new XmlStreamReader(stream);
        await reader.ReadAsync();
        Assert.Contains("bytes", Assert.IsType<StreamRead.End>(await reader.ReadAsync()).Reason, StringComparison.Ordinal);
        Assert.InRange(stream.Given, XmlLimits.MaxStanzaBytes, XmlLimits.MaxStanzaBytes + 256 * 1024);
    }

    [Theory]
    [InlineData("<message a='", "x")]
    [InlineData("<message><body>", "x")]
    [InlineData("<message ", "a")]
    [InlineData("<message><!--", "x")]
    public async Task A_stanza_without_an_end_is_cut_off(string begin, string endless)
    {
        var stream = new EndlessStream(Start + begin, endless);
        using var reader = new XmlStreamReader(stream);
        await reader.ReadAsync();
        Assert.Contains("bytes", Assert.IsType<StreamRead.End>(await reader.ReadAsync()).Reason, StringComparison.Ordinal);
        Assert.InRange(stream.Given, XmlLimits.MaxStanzaBytes, XmlLimits.MaxStanzaBytes + 256 * 1024);
    }

    /// <summary>A client can send a component this through both servers: it must not cost the connection of everybody.</summary>
    [Fact]
    public async Task Ten_thousand_attributes_cost_their_stanza_and_nothing_else()
    {
        var attributes = string.Concat(Enumerable.Range(0, 10_000).Select(i => $" a{i}='x'"));
        var read = await ReadAsync($"<message id='1'><x{attributes}/></message><message id='2'/>");
        Assert.Equal("ATTRIBUTES", Assert.IsType<StreamRead.Dropped>(read[0]).Reason);
        Assert.Equal("2", Assert.IsType<StreamRead.Element>(read[1]).Value["id"]);
    }

    [Fact]
    public async Task Many_elements_cost_their_stanza_and_nothing_else()
    {
        var read = await ReadAsync($"<message>{string.Concat(Enumerable.Repeat("<a/>", 20_000))}</message><message id='2'/>");
        Assert.Equal("ELEMENTS", Assert.IsType<StreamRead.Dropped>(read[0]).Reason);
        Assert.Equal("2", Assert.IsType<StreamRead.Element>(read[1]).Value["id"]);
    }

    /// <summary>The bound is one stanza's, not the stream's.</summary>
    [Fact]
    public async Task A_long_life_is_no_long_stanza()
    {
        var body = new string('x', 300_000);
        var read = await ReadAsync(string.Concat(Enumerable.Range(0, 10).Select(_ => $"<message><body>{body}</body></message>")));
        Assert.All(read[..10], r => Assert.Equal(body, Assert.IsType<StreamRead.Element>(r).Value.Children[0].Text));
    }

    [Fact]
    public async Task The_end_of_the_connection_is_a_value()
    {
        Assert.IsType<StreamRead.End>((await ReadAsync(""))[0]);
        Assert.IsType<StreamRead.End>((await ReadAsync("</stream:stream>"))[0]);
        Assert.IsType<StreamRead.End>((await ReadAsync("<message><body>half"))[0]);
    }

    /// <summary>All reads after the stream's start, up to its end.</summary>
    private static async Task<StreamRead[]> ReadAsync(string xml)
    {
        using var reader = new XmlStreamReader(new MemoryStream(Encoding.UTF8.GetBytes(Start + xml)));
        Assert.IsType<StreamRead.Element>(await reader.ReadAsync());
        var all = new List<StreamRead>();
        do all.Add(await reader.ReadAsync());
        while (all[^1] is not StreamRead.End);
        return [.. all];
    }
}
