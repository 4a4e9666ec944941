using Grpc.Wire;

namespace GrpcTests;

/// <summary>grpc-message and grpc-timeout as PROTOCOL-HTTP2 has them.</summary>
public sealed class EncodingTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("plain ~ text", "plain ~ text")]
    [InlineData("100%", "100%25")]
    [InlineData("a\tb\r\n", "a%09b%0D%0A")]
    [InlineData("é", "%C3%A9")]
    [InlineData("😀", "%F0%9F%98%80")]
    [InlineData("\u007f", "%7F")]
    public void Messages_are_percent_encoded(string text, string encoded)
    {
        Assert.Equal(encoded, PercentEncoding.Encode(text));
        Assert.Equal(text, PercentEncoding.Decode(encoded));
    }

    [Theory]
    [InlineData("%", "%")]
    [InlineData("%4", "%4")]
    [InlineData("%4g%41", "%4gA")]
    [InlineData("%c3%a9", "é")]
    public void Bad_escapes_stay(string encoded, string text) => Assert.Equal(text, PercentEncoding.Decode(encoded));

    [Theory]
    [InlineData("1H", 36_000_000_000)]
    [InlineData("2M", 1_200_000_000)]
    [InlineData("3S", 30_000_000)]
    [InlineData("4m", 40_000)]
    [InlineData("5u", 50)]
    [InlineData("600n", 6)]
    [InlineData("99999999H", 3_599_999_964_000_000_000)]
    public void Timeouts_are_parsed(string text, long ticks)
    {
        Assert.True(GrpcTimeout.TryParse(text, out TimeSpan timeout));
        Assert.Equal(ticks, timeout.Ticks);
    }

    [Theory]
    [InlineData(0, "1u")]
    [InlineData(-5, "1u")]
    [InlineData(10, "1u")]
    [InlineData(15, "2u")]
    [InlineData(10_000_000, "1000000u")]
    [InlineData(1_000_000_000, "100000m")]
    [InlineData(864_000_000_000, "86400000m")]
    [InlineData(36_000_000_000_000, "3600000S")]
    [InlineData(3_600_000_000_000_000_000, "99999999H")]
    [InlineData(long.MaxValue, "99999999H")]
    public void Timeouts_have_at_most_eight_digits(long ticks, string text) => Assert.Equal(text, GrpcTimeout.Format(new TimeSpan(ticks)));
}
