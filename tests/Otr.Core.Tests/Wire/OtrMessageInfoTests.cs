using System.Text;
using Otr.Core.Wire;

namespace Otr.Core.Tests.Wire;

/// <summary>What statistics say of a wire text.</summary>
public sealed class OtrMessageInfoTests
{
    [Theory]
    [InlineData("hello", OtrMessageType.Plaintext, 0)]
    [InlineData("", OtrMessageType.Plaintext, 0)]
    [InlineData("hello \t  \t\t\t\t \t \t \t    \t\t  \t\t", OtrMessageType.Tagged, 0)]
    [InlineData("?OTRv34?", OtrMessageType.Query, 0)]
    [InlineData("?OTR Error: no", OtrMessageType.Error, 0)]
    [InlineData("?OTR|5a73a599|27e31597,00001,00003,?OTR:AAMD,", OtrMessageType.Fragment, 0)]
    [InlineData("?OTR,1,3,?OTR:AAEK,", OtrMessageType.Fragment, 0)]
    [InlineData("?OTR:AAIC", OtrMessageType.Ake, 2)]
    [InlineData("?OTR:AAMK", OtrMessageType.Ake, 3)]
    [InlineData("?OTR:AAMR", OtrMessageType.Ake, 3)]
    [InlineData("?OTR:AAMS", OtrMessageType.Ake, 3)]
    [InlineData("?OTR:AAQ1", OtrMessageType.Ake, 4)]
    [InlineData("?OTR:AAQ2", OtrMessageType.Ake, 4)]
    [InlineData("?OTR:AAQ3", OtrMessageType.Ake, 4)]
    [InlineData("?OTR:AAMDAAAA", OtrMessageType.Data, 3)]
    [InlineData(" \r\n?OTR:AAQD", OtrMessageType.Data, 4)]
    [InlineData("?OTR:AAED", OtrMessageType.Unknown, 0)]
    [InlineData("?OTR:AAUD", OtrMessageType.Unknown, 0)]
    [InlineData("?OTR:AQMD", OtrMessageType.Unknown, 0)]
    [InlineData("?OTR:AAMZ", OtrMessageType.Unknown, 0)]
    [InlineData("?OTR:AA==", OtrMessageType.Unknown, 0)]
    [InlineData("?OTR:AA", OtrMessageType.Unknown, 0)]
    [InlineData("?OTR:", OtrMessageType.Unknown, 0)]
    [InlineData("?OTR!", OtrMessageType.Unknown, 0)]
    public void Its_first_bytes_say_what_a_text_is(string text, OtrMessageType type, int version) =>
        Assert.Equal(new OtrMessageInfo(type, version), OtrMessageInfo.Of(Encoding.Latin1.GetBytes(text)));
}
