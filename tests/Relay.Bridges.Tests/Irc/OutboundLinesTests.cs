using System.Text;
using Relay.Bridges.Irc;

namespace Relay.Bridges.Tests.Irc;

public sealed class OutboundLinesTests
{
    private const string Tag = " \t  \t\t\t\t \t \t \t  ";

    [Theory]
    [InlineData("hello", "hello")]
    [InlineData("a\r\nb\nc\rd", "a|b|c|d")]
    [InlineData("a\n\n\nb\n", "a|b")]
    [InlineData("\r\nQUIT :x", "QUIT :x")]
    [InlineData("\rJOIN #x", "JOIN #x")]
    [InlineData("a\0b", "a\uFFFDb")]
    [InlineData("\x01" + "DCC SEND x 1 2 3\x01", "\uFFFDDCC SEND x 1 2 3\uFFFD")]
    [InlineData(":x", ":x")]
    [InlineData("\x02" + "bold\x0f \x03" + "04red", "\x02" + "bold\x0f \x03" + "04red")]
    [InlineData("tab\there\x7f", "tab\there\uFFFD")]
    [InlineData("", "")]
    [InlineData("  \n \r", "")]
    [InlineData("text" + Tag + "  \t\t  \t ", "text")]
    [InlineData("text" + Tag + "  \t\t  \t\t behind", "text behind")]
    public void TextInTheClearBecomesLinesWithoutCommands(string text, string lines)
    {
        var cut = OutboundLines.Cut(Encoding.UTF8.GetBytes(text), 400);

        Assert.Null(cut.Refusal);
        Assert.Equal(lines.Length == 0 ? [] : lines.Split('|'), cut.Lines);
    }

    [Theory]
    [InlineData("é", 2_000, 101, 50)]
    [InlineData("€", 1_000, 100, 33)]
    [InlineData("😀", 1_000, 103, 25)]
    [InlineData("x", 1_000, 100, 100)]
    public void LongTextIsCutBetweenCharacters(string character, int count, int limit, int charactersInALine)
    {
        var text = string.Concat(Enumerable.Repeat(character, count));

        var cut = OutboundLines.Cut(Encoding.UTF8.GetBytes(text), limit);

        Assert.Equal(text, string.Concat(cut.Lines));
        Assert.Equal(string.Concat(Enumerable.Repeat(character, charactersInALine)), cut.Lines[0]);
        Assert.All(cut.Lines, l => Assert.InRange(Encoding.UTF8.GetByteCount(l), 1, limit));
    }

    [Theory]
    [InlineData("?OTR:AAMD.")]
    [InlineData("?OTR|00000100|00000200,00001,00002,?OTR:AAM,")]
    [InlineData("?OTR,1,2,?OTR:AAI,")]
    [InlineData("?OTRv3?")]
    [InlineData("?OTR Error: no session.")]
    public void OtrIsOneLineAsItIs(string text) => Assert.Equal([text], OutboundLines.Cut(Encoding.UTF8.GetBytes(text), 100).Lines);

    [Theory]
    [InlineData("?OTR:")]
    [InlineData("?OTR|00000100|00000200,00001,00002,")]
    [InlineData("?OTRv3? ")]
    public void OtrThatDoesNotFitIsRefusedAndTheSettingIsNamed(string start)
    {
        var cut = OutboundLines.Cut(Encoding.UTF8.GetBytes(start + new string('A', 300) + "."), 300);

        Assert.Empty(cut.Lines);
        Assert.Contains("--max-wire-bytes 300", cut.Refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("?OTR:AAMD\r\nQUIT")]
    [InlineData("?OTR:AA D.")]
    [InlineData("?OTR:AA\0D.")]
    [InlineData("?OTR:AAé.")]
    public void AnEncodedMessageWithOtherBytesIsRefused(string text)
    {
        var cut = OutboundLines.Cut(Encoding.UTF8.GetBytes(text), 400);

        Assert.Empty(cut.Lines);
        Assert.NotNull(cut.Refusal);
    }

    [Fact]
    public void AQueryOfSeveralLinesBecomesOne() =>
        Assert.Equal(["?OTRv3? first second"], OutboundLines.Cut("?OTRv3? first\r\nsecond \n"u8, 400).Lines);

    [Fact]
    public void ALineInTheClearCannotBeginWithOtr()
    {
        Assert.NotNull(OutboundLines.Cut("hello\n?OTRv3?"u8, 400).Refusal);

        var cut = OutboundLines.Cut(Encoding.UTF8.GetBytes(new string('x', 100) + "?OTRv3?" + new string('y', 90)), 100);
        Assert.Equal(new string('x', 99), cut.Lines[0]);
        Assert.StartsWith("x?OTRv3?", cut.Lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void TooManyLinesAreRefused()
    {
        Assert.Equal(IrcLimits.LinesPerText, OutboundLines.Cut(Lines(IrcLimits.LinesPerText), 100).Lines.Count);
        Assert.NotNull(OutboundLines.Cut(Lines(IrcLimits.LinesPerText + 1), 100).Refusal);

        static byte[] Lines(int n) => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("a\n", n)));
    }

    [Fact]
    public void AServerThatLeavesNoRoomIsTold() => Assert.NotNull(OutboundLines.Cut("hello"u8, IrcLimits.LeastTextBytes - 1).Refusal);
}

public sealed class WireTextTests
{
    // Headers by the specification of version 3: version, type, two instance tags, and for data messages the flags.
    [Theory]
    [InlineData("hello", "Clear")]
    [InlineData("?OTR?", "Request")]
    [InlineData("?OTRv23?", "Request")]
    [InlineData("?OTR Error: x.", "Request")]
    [InlineData("0003 02 00000100 00000000 00", "KeyExchange")]
    [InlineData("0003 0a 00000100 00000200 00", "KeyExchange")]
    [InlineData("0003 11 00000100 00000200 00", "KeyExchange")]
    [InlineData("0003 12 00000100 00000200 00", "KeyExchange")]
    [InlineData("0003 03 00000100 00000200 00", "Data")]
    [InlineData("0003 03 00000100 00000200 01", "Control")]
    [InlineData("0002 03 00", "Data")]
    [InlineData("0002 03 01", "Control")]
    [InlineData("0002 02 00", "KeyExchange")]
    [InlineData("?OTR:", "Data")]
    [InlineData("?OTR:!!!!", "Data")]
    [InlineData("?OTR|00000100|00000200,00002,00003,AAAA,", "NextFragment")]
    [InlineData("?OTR,00002,00003,AAAA,", "NextFragment")]
    [InlineData("?OTR|", "NextFragment")]
    public void TheHeaderTellsTheKind(string text, string kind)
    {
        if (text[0] == '0')
        {
            var header = Convert.FromHexString(text.Replace(" ", "", StringComparison.Ordinal));
            text = "?OTR:" + Convert.ToBase64String([.. header, .. new byte[60]]) + ".";
            // The first fragment has the header too.
            Assert.Equal(kind, WireText.Classify(Encoding.ASCII.GetBytes($"?OTR|00000100|00000200,00001,00002,{text[..40]},")).ToString());
            Assert.Equal(kind, WireText.Classify(Encoding.ASCII.GetBytes($"?OTR,1,2,{text[..40]},")).ToString());
        }
        Assert.Equal(kind, WireText.Classify(Encoding.UTF8.GetBytes(text)).ToString());
    }
}
