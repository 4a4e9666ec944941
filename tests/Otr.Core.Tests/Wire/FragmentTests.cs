using Otr.Core.Tests.Kit;
using Otr.Core.Wire;

namespace Otr.Core.Tests.Wire;

public sealed class FragmentTests
{
    [Fact]
    public void The_specifications_example_is_cut_as_there()
    {
        var cut = Fragmenter.Cut(SpecificationExample.Message.Utf8(), SpecificationExample.FragmentLimit, 3, SpecificationExample.FragmentSender, SpecificationExample.FragmentReceiver);
        Assert.Equal(SpecificationExample.Fragments, cut.Select(f => f.AsMemory().ToText()));
    }

    [Fact]
    public void The_specifications_example_comes_together()
    {
        var buffer = new FragmentBuffer(3, SpecificationExample.FragmentSender);
        var outcomes = SpecificationExample.Fragments.Select(f => Add(buffer, f)).ToArray();
        Assert.Equal([FragmentOutcome.Stored, FragmentOutcome.Stored, FragmentOutcome.Complete], outcomes);
        Assert.Equal(SpecificationExample.Message.Utf8(), buffer.Text.ToArray());
    }

    // Checklist A15: every length from one piece to exact multiples; the last piece is never empty, none exceeds the limit.
    [Theory]
    [InlineData(3, 36)]
    [InlineData(2, 18)]
    public void Every_length_is_cut_and_put_together(byte version, int overhead)
    {
        const int limit = 60;
        for (var length = limit - 2; length < 4 * limit; length++)
        {
            var text = Enumerable.Range(0, length).Select(i => (byte)('a' + i % 26)).ToArray();
            var cut = Fragmenter.Cut(text, limit, version, 0x100, 0x200).ToArray();
            Assert.Equal((length + limit - overhead - 1) / (limit - overhead), cut.Length);
            var buffer = new FragmentBuffer(version, version == 3 ? 0x100u : 0);
            foreach (var piece in cut)
            {
                Assert.InRange(piece.Length, overhead + 1, limit);
                Add(buffer, piece.AsMemory().ToText());
            }
            Assert.Equal(text, buffer.Text.ToArray());
        }
    }

    [Fact]
    public void A_text_too_long_for_65535_pieces_gets_larger_ones()
    {
        var text = new byte[100_000];
        Array.Fill(text, (byte)'a');
        var cut = Fragmenter.Cut(text, Fragmenter.MinLimit, 3, 0x100, 0x200).ToArray();
        Assert.InRange(cut.Length, 1, ushort.MaxValue);
        Assert.Equal(text.Length, cut.Sum(c => c.Length - 36));
    }

    [Theory]
    [InlineData("?OTR|100|200,1,3,abc,", 3, 0x100u, 0x200u, 1, 3, "abc")]
    [InlineData("?OTR|00000100|00000200,00001,00003,abc,", 3, 0x100u, 0x200u, 1, 3, "abc")]
    [InlineData("?OTR|FFFFFFFF|0,65535,65535,abc,", 3, 0xffffffffu, 0u, 65535, 65535, "abc")]
    [InlineData("?OTR,1,3,abc,", 2, 0u, 0u, 1, 3, "abc")]
    [InlineData("?OTR,00003,00003,abc,\r\n", 2, 0u, 0u, 3, 3, "abc")]
    [InlineData("?OTR,1,3,,", 2, 0u, 0u, 1, 3, "")]
    public void Is_read(string text, int version, uint sender, uint receiver, int k, int n, string piece)
    {
        Assert.True(Fragment.TryParse(text.Utf8(), out var f));
        Assert.Equal((version, sender, receiver, k, n), (f.Version, f.SenderTag, f.ReceiverTag, f.Index, f.Count));
        Assert.Equal(piece.Utf8(), f.Piece.ToArray());
    }

    public static TheoryData<string> Malformed =>
    [
        "?OTR|", "?OTR,", "?OTR|100|200", "?OTR|100|200,", "?OTR|100|200,1", "?OTR|100|200,1,", "?OTR|100|200,1,3", "?OTR|100|200,1,3,abc",
        "?OTR|100|200,0,3,abc,", "?OTR|100|200,1,0,abc,", "?OTR|100|200,0,0,abc,", "?OTR|100|200,4,3,abc,", "?OTR|100|200,1,65536,abc,",
        "?OTR|100|200,65536,65536,abc,", "?OTR|100|200,-1,3,abc,", "?OTR|100|200,+1,3,abc,", "?OTR|100|200,0x1,3,abc,", "?OTR|100|200,a,b,abc,",
        "?OTR|100|200,1,3,ab,c,", "?OTR|100|200,1,3,abc,x", "?OTR|100000000|200,1,3,abc,", "?OTR||200,1,3,abc,", "?OTR|100|,1,3,abc,", "?OTR|xyz|200,1,3,abc,",
        "?OTR|-100|200,1,3,abc,", "?OTR|100,200,1,3,abc,", "?OTR| 100|200,1,3,abc,", "?OTR,,3,abc,", "?OTR,1,,abc,", "?OTR, 1,3,abc,", "?OTR,1,3", "?OTR,000001,3,abc,",
    ];

    [Theory, Trait("hostile", "F01")]
    [MemberData(nameof(Malformed))]
    public void F01_is_refused(string text) => Assert.False(Fragment.TryParse(text.Utf8(), out _));

    private static FragmentOutcome Add(FragmentBuffer buffer, string text)
    {
        Assert.True(Fragment.TryParse(text.Utf8(), out var fragment));
        return buffer.Add(fragment, 0, int.MaxValue);
    }
}
