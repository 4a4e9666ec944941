using Relay.Bridges.Irc;

namespace Relay.Bridges.Tests.Irc;

public sealed class CaseMappingTests
{
    [Theory]
    [InlineData("ascii", "ALICE", "alice", true)]
    [InlineData("ascii", "a[", "a{", false)]
    [InlineData("rfc1459", "A[]\\~", "a{}|^", true)]
    [InlineData("strict-rfc1459", "A[]\\", "a{}|", true)]
    [InlineData("strict-rfc1459", "a~", "a^", false)]
    [InlineData("rfc1459", "alice", "alice_", false)]
    [InlineData("rfc1459", "É", "é", false)]
    [InlineData(null, "a~", "a^", true)]
    [InlineData("rfc7613", "a~", "a^", false)]
    public void NamesAreEqualAsTheServerComparesThem(string? name, string a, string b, bool equal)
    {
        var mapping = CaseMapping.Named(name);

        Assert.Equal(equal, mapping.Equals(a, b));
        Assert.Equal(equal, mapping.Fold(a) == mapping.Fold(b));
        if (equal) Assert.Equal(mapping.GetHashCode(a), mapping.GetHashCode(b));
    }

    [Fact]
    public void TheServerNamesTheMapping()
    {
        var features = new ServerFeatures();
        Assert.Same(CaseMapping.Rfc1459, features.CaseMapping);

        features.Learn(IrcLine.Parse(":s 005 me CASEMAPPING=ascii NICKLEN=9 :are supported")!);

        Assert.Same(CaseMapping.Ascii, features.CaseMapping);
        Assert.Equal(9, features.NickBytes);
    }
}
