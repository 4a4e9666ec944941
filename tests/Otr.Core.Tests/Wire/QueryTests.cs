using Otr.Core.Tests.Kit;
using Otr.Core.Wire;

namespace Otr.Core.Tests.Wire;

public sealed class QueryTests
{
    // Checklist A3.1, every example; "1" is recognised and never offered.
    [Theory]
    [InlineData("?OTR?", true, "")]
    [InlineData("?OTRv2?", true, "2")]
    [InlineData("?OTRv3?", true, "3")]
    [InlineData("?OTRv23?", true, "23")]
    [InlineData("?OTRv32?", true, "23")]
    [InlineData("?OTR?v2?", true, "2")]
    [InlineData("?OTR?v23?", true, "23")]
    [InlineData("?OTRv24x?", true, "2")]
    [InlineData("?OTR?v?", true, "")]
    [InlineData("?OTRv?", true, "")]
    [InlineData("?OTRv2? I like number 3", true, "2")]
    [InlineData("?OTRv?3?", true, "")]
    [InlineData("?OTRv1?", true, "")]
    [InlineData("?OTRv23?\n<b>alice</b> has requested", true, "23")]
    [InlineData("?OTRvictory 3", false, "")]
    [InlineData("?OTRv23", false, "")]
    [InlineData("?OTR", false, "")]
    [InlineData("?OTRv", false, "")]
    [InlineData("?OTR3?", false, "")]
    [InlineData("?OTRx?v3?", false, "")]
    public void Offers(string text, bool isQuery, string versions)
    {
        Assert.Equal(isQuery ? WireKind.Query : WireKind.Unknown, WireClassifier.Classify(text.Utf8(), out var body));
        if (isQuery) Assert.Equal((versions.Contains('2'), versions.Contains('3')), (QueryMessage.Parse(body).Has(2), QueryMessage.Parse(body).Has(3)));
    }

    [Theory]
    [InlineData(OtrPolicy.AllowV3, "?OTRv3?")]
    [InlineData(OtrPolicy.AllowV2, "?OTRv2?")]
    [InlineData(OtrPolicy.Manual, "?OTRv23?")]
    public void Our_query_offers_what_policy_allows(OtrPolicy policy, string expected)
    {
        Assert.Equal(expected, QueryMessage.Format(OtrVersionSet.Allowed(policy), "", 0).AsMemory().ToText());
        Assert.Equal(expected + " hello", QueryMessage.Format(OtrVersionSet.Allowed(policy), "hello", 0).AsMemory().ToText());
    }
}
