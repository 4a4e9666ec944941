using System.Text;
using Relay.Bridges.Irc;

namespace Relay.Bridges.Tests.Irc;

public sealed class IrcLineTests
{
    [Theory]
    [InlineData("PING :irc.example", "", "PING", "irc.example")]
    [InlineData(":alice!~al@host.example PRIVMSG bob :hi there", "alice!~al@host.example", "PRIVMSG", "bob|hi there")]
    [InlineData(":alice!~al@host.example PRIVMSG bob hi", "alice!~al@host.example", "PRIVMSG", "bob|hi")]
    [InlineData(":s privmsg bob ::)", "s", "PRIVMSG", "bob|:)")]
    [InlineData(":s 001 me :", "s", "001", "me|")]
    [InlineData(":s  001   me  :a  b ", "s", "001", "me|a  b ")]
    [InlineData("@a=b :s 001 me", "s", "001", "me")]
    [InlineData("QUIT", "", "QUIT", "")]
    public void ALineHasPrefixCommandAndParameters(string text, string prefix, string command, string parameters)
    {
        var line = IrcLine.Parse(text)!;

        Assert.Equal((prefix, command, parameters), (line.Prefix, line.Command, string.Join('|', line.Params)));
    }

    [Theory]
    [InlineData("")]
    [InlineData(":only-a-prefix")]
    [InlineData("@only=tags")]
    [InlineData(":p ")]
    [InlineData("PRIV\x01MSG a :b")]
    [InlineData("\u00e9t\u00e9 a")]
    public void ALineWithoutACommandIsNone(string text) => Assert.Null(IrcLine.Parse(text));

    [Theory]
    [InlineData("alice!~al@host", "alice", "~al", "host", true)]
    [InlineData("alice!~al", "alice", "~al", "", true)]
    [InlineData("irc.example", "irc.example", "", "", false)]
    [InlineData("!x@y", "", "x", "y", false)]
    public void APrefixIsAUserOrAServer(string prefix, string nick, string user, string host, bool isUser)
    {
        var line = IrcLine.Parse($":{prefix} PRIVMSG me :x")!;

        Assert.Equal((nick, user, host, isUser), (line.Nick, line.User, line.Host, line.IsFromUser));
    }

    [Theory]
    [InlineData("@time=2030-01-01T00:00:00Z;msgid=a\\:b\\sc\\\\d :s X", "msgid", "a;b c\\d")]
    [InlineData("@a=1;a=2 X", "a", "2")]
    [InlineData("@a;+b/c=x X", "+b/c", "x")]
    [InlineData("@a X", "a", "")]
    [InlineData("@a=q\\ X", "a", "q")]
    [InlineData("@a=\\b X", "a", "b")]
    public void TagsAreUnescaped(string text, string tag, string value) => Assert.Equal(value, IrcLine.Parse(text)!.Tag(tag));

    [Fact]
    public void BytesThatAreNotUtf8BecomeReplacementCharacters()
    {
        var line = IrcLine.Parse([.. ":a!b@c PRIVMSG me :x"u8, 0xff, .. "y"u8])!;

        Assert.Equal("x\uFFFDy", line.Text);
    }

    [Fact]
    public void ParametersBeyondTheBoundStayOneParameter()
    {
        var line = IrcLine.Parse("X " + string.Join(' ', Enumerable.Range(0, 100)))!;

        Assert.Equal(IrcLineLimits.Params, line.Params.Count);
        Assert.StartsWith("63 64", line.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PRIVMSG bob :a b", "PRIVMSG", "bob", "a b")]
    [InlineData("PRIVMSG bob ::x", "PRIVMSG", "bob", ":x")]
    [InlineData("PRIVMSG bob :", "PRIVMSG", "bob", "")]
    public void ALineIsWrittenWithAColon(string expected, string command, string first, string last) =>
        Assert.Equal(expected, IrcLine.Format(command, first, last));

    [Theory]
    [InlineData("bob", "a\r\nQUIT")]
    [InlineData("bob", "a\rQUIT")]
    [InlineData("bob", "a\0b")]
    [InlineData("bo b", "a")]
    [InlineData(":bob", "a")]
    [InlineData("", "a")]
    public void AParameterCannotBecomeACommand(string first, string last) =>
        Assert.Throws<ArgumentException>(() => IrcLine.Format("PRIVMSG", first, last));

    [Fact]
    public void ALineDoesNotPrintItsText() =>
        Assert.DoesNotContain("secret", IrcLine.Parse(":a!b@c PRIVMSG me :secret")!.ToString(), StringComparison.Ordinal);
}

public sealed class IrcLineReaderTests
{
    [Theory]
    [InlineData("PING :a\r\nPING :b\n\r\n\nPING :c\r\n", "a b c")]
    [InlineData("PING :a\nPING :not ended", "a")]
    public async Task LinesEndWithLfAndAnOptionalCr(string bytes, string texts)
    {
        foreach (var chunk in new[] { 1, 3, 1000 }) Assert.Equal(texts.Split(' '), await ReadAsync(Encoding.UTF8.GetBytes(bytes), chunk));
    }

    [Fact]
    public async Task ALineThatIsTooLongIsDroppedUpToItsEnd()
    {
        byte[] bytes = [.. "PING :a\r\nPING :"u8, .. Enumerable.Repeat((byte)'x', 20_000), .. "\r\nPING :b\r\n"u8];
        var reader = new IrcLineReader(new Chunks(bytes, 700));

        Assert.Equal("a", (await reader.ReadAsync(default))!.Text);
        Assert.Equal("b", (await reader.ReadAsync(default))!.Text);
        Assert.Equal(1, reader.Dropped);
        Assert.False(reader.IsEndless);
    }

    [Fact]
    public async Task TheLongestLineWithTagsIsRead()
    {
        var tags = "@a=" + new string('t', IrcLineLimits.TagBytes - 4);
        var text = new string('x', IrcLineLimits.LineBytes - "PING :\r\n".Length);

        Assert.Equal([text], await ReadAsync(Encoding.UTF8.GetBytes($"{tags} PING :{text}\r\n"), 1000));
        Assert.Empty(await ReadAsync(Encoding.UTF8.GetBytes($"{tags}t PING :{text[1..]}\r\n"), 1000));
    }

    [Fact]
    public async Task ALineWithoutAnEndEndsTheConnection()
    {
        var reader = new IrcLineReader(new Chunks([.. Enumerable.Repeat((byte)'x', 200_000)], 5_000));

        Assert.Null(await reader.ReadAsync(default));
        Assert.True(reader.IsEndless);
    }

    private static async Task<List<string>> ReadAsync(byte[] bytes, int chunk)
    {
        var reader = new IrcLineReader(new Chunks(bytes, chunk));
        var texts = new List<string>();
        while (await reader.ReadAsync(default) is { } line) texts.Add(line.Text);
        return texts;
    }

    /// <summary>Gives its bytes in chunks.</summary>
    private sealed class Chunks(byte[] bytes, int chunk) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, chunk)], cancellationToken);
    }
}
