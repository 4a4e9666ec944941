using Otr.Core.Tests.Kit;
using Otr.Core.Wire;

namespace Otr.Core.Tests.Wire;

public sealed class ClassificationTests
{
    private const string Base = " \t  \t\t\t\t \t \t \t  ";

    // Checklist A3.4: the first that matches wins, and a marker counts only at the start.
    [Theory]
    [InlineData("?OTR|5a73a599|27e31597,00001,00003,?OTR:AAM,", WireKind.Fragment)]
    [InlineData("?OTR,1,3,?OTR:AAI,", WireKind.Fragment)]
    [InlineData("?OTR:AAMC.", WireKind.Encoded)]
    [InlineData("  \r\n?OTR:AAMC.", WireKind.Encoded)]
    [InlineData("?OTR Error: no", WireKind.Error)]
    [InlineData("?OTR Error:You sent", WireKind.Error)]
    [InlineData("?OTRv3?", WireKind.Query)]
    [InlineData("?OTR?", WireKind.Query)]
    [InlineData("?OTR", WireKind.Unknown)]
    [InlineData("?OTRx", WireKind.Unknown)]
    [InlineData("?OTR;", WireKind.Unknown)]
    [InlineData("?OTRv3" + Base, WireKind.Unknown)]
    [InlineData("hello", WireKind.Plaintext)]
    [InlineData("", WireKind.Plaintext)]
    [InlineData("?otrv3?", WireKind.Plaintext)]
    [InlineData("he said ?OTRv23? to me", WireKind.Plaintext)]
    [InlineData("> ?OTR Error: quoted", WireKind.Plaintext)]
    [InlineData("x ?OTR:AAMC.", WireKind.Plaintext)]
    [InlineData("hello" + Base, WireKind.TaggedPlaintext)]
    [InlineData(Base + "hello", WireKind.TaggedPlaintext)]
    [InlineData("hel" + Base + "lo", WireKind.TaggedPlaintext)]
    [InlineData(Base, WireKind.TaggedPlaintext)]
    public void The_first_match_wins(string text, object kind) => Assert.Equal((WireKind)kind, WireClassifier.Classify(text.Utf8(), out _));

    [Fact]
    public void A_tag_is_the_bytes_of_the_checklist()
    {
        // A3.2.
        var expected = Convert.FromHexString("6869" + "20092020090909092009200920092020" + "2020090920200920" + "2020090920200909");
        Assert.Equal(expected, WhitespaceTag.Append("hi"u8, OtrVersions.V2 | OtrVersions.V3));
    }

    [Theory]
    [InlineData("2020090920200920", "2", "")]
    [InlineData("2020090920200909", "3", "")]
    [InlineData("20092009202009202020090920200920", "2", "")]
    [InlineData("2020090920092020", "", "")]
    [InlineData("20200909200920202020090920200909", "3", "")]
    [InlineData("2020090920200909" + "6869", "3", "6869")]
    [InlineData("2020090920200909" + "202009", "3", "202009")]
    [InlineData("", "", "")]
    public void Stripping_takes_every_group_of_blanks_and_leaves_the_rest(string groups, string versions, string rest)
    {
        var tagged = Convert.FromHexString("61" + "20092020090909092009200920092020" + groups);
        var stripped = WhitespaceTag.Strip(tagged, WhitespaceTag.Find(tagged), out var offered);
        Assert.Equal(Convert.FromHexString("61" + rest), stripped);
        Assert.Equal((versions.Contains('2'), versions.Contains('3')), (offered.Has(2), offered.Has(3)));
    }

    [Fact]
    public void Only_the_first_tag_counts()
    {
        var first = WhitespaceTag.Append("a"u8, OtrVersions.V2);
        byte[] both = [.. first, .. WhitespaceTag.Append("b"u8, OtrVersions.V3)];
        var stripped = WhitespaceTag.Strip(both, WhitespaceTag.Find(both), out var offered);
        Assert.Equal(OtrVersions.V2, offered);
        Assert.Equal([(byte)'a', .. WhitespaceTag.Append("b"u8, OtrVersions.V3)], stripped);
    }
}
