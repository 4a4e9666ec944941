using Otr.Core.Tests.Kit;
using Otr.Core.Wire;

namespace Otr.Core.Tests.Wire;

public sealed class EnvelopeTests
{
    private static byte[]? Decode(string text)
    {
        var writer = new OtrWriter(8);
        try { return Envelope.TryDecode(text.Utf8(), ref writer) ? writer.Written.ToArray() : null; }
        finally { writer.Dispose(); }
    }

    // Checklist A1: the first four characters tell version and type.
    [Theory]
    [InlineData(2, 0x02, "AAIC")]
    [InlineData(2, 0x0a, "AAIK")]
    [InlineData(2, 0x11, "AAIR")]
    [InlineData(2, 0x12, "AAIS")]
    [InlineData(2, 0x03, "AAID")]
    [InlineData(3, 0x02, "AAMC")]
    [InlineData(3, 0x0a, "AAMK")]
    [InlineData(3, 0x11, "AAMR")]
    [InlineData(3, 0x12, "AAMS")]
    [InlineData(3, 0x03, "AAMD")]
    public void Header_and_first_characters(int version, int type, string expected)
    {
        var writer = new OtrWriter(16);
        new MessageHeader((ushort)version, (MessageType)type, 0x27e31599, 0x27e31597).Write(ref writer);
        var message = writer.ToArrayAndDispose();
        Assert.Equal(version == 3 ? 11 : 3, message.Length);
        Assert.StartsWith("?OTR:" + expected, Envelope.Encode(message).AsMemory().ToText());
        var reader = new OtrReader(message);
        var header = MessageHeader.Read(ref reader);
        Assert.True(reader.IsComplete);
        Assert.Equal((version, type), (header.Version, (int)header.Type));
        if (version == 3) Assert.Equal((0x27e31599u, 0x27e31597u), (header.SenderTag, header.ReceiverTag));
    }

    [Theory]
    [InlineData("?OTR:AAEC.", "000102")]
    [InlineData("?OTR:AAECAw==.", "00010203")]
    [InlineData("?OTR:AA\nEC.", "000102")]
    [InlineData("?OTR:AA \t\r\nEC.", "000102")]
    [InlineData("?OTR:AAEC. and what a client adds", "000102")]
    [InlineData("?OTR:AAEC.AAEC.", "000102")]
    public void Is_decoded(string text, string hex) => Assert.Equal(Convert.FromHexString(hex), Decode(text));

    [Theory]
    [InlineData("?OTR:")]
    [InlineData("?OTR:.")]
    [InlineData("?OTR:   .")]
    [InlineData("?OTR:AAEC")]
    [InlineData("?OTR:AAE.")]
    [InlineData("?OTR:A.")]
    [InlineData("?OTR:===.")]
    [InlineData("?OTR:AA=C.")]
    [InlineData("?OTR:AAEC=.")]
    [InlineData("?OTR:AAECAw=.")]
    [InlineData("?OTR:AA-_.")]
    [InlineData("?OTR:AA\0EC.")]
    [InlineData("?OTR:AA<EC.")]
    [InlineData("?OTR:AAÄC.")]
    public void Is_refused(string text) => Assert.Null(Decode(text));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(1000)]
    public void Round_trips_with_the_BCL(int length)
    {
        var message = Enumerable.Range(0, length).Select(i => (byte)(i * 7)).ToArray();
        var text = Envelope.Encode(message);
        Assert.Equal(message, WireText.Decode(text));
        Assert.Equal(message, Decode(text.AsMemory().ToText()));
    }
}
