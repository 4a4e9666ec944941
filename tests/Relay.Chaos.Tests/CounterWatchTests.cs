using System.Buffers.Binary;
using System.Text;
using Relay.Lab.Load;

namespace Relay.Chaos.Tests;

/// <summary>
/// The judge of the wire must itself find what it looks for: messages put together by hand, from the specification's layout.
/// </summary>
public sealed class CounterWatchTests
{
    [Fact]
    public void A_counter_under_two_texts_is_found()
    {
        var watch = new CounterWatch();
        Assert.Null(watch.See(Data(1, 1, counter: 1, "one")));
        Assert.Null(watch.See(Data(1, 1, counter: 2, "two")));
        Assert.Contains("twice", watch.See(Data(1, 1, counter: 2, "three")), StringComparison.Ordinal);
        Assert.Equal(3, watch.DataMessages);
    }

    [Fact]
    public void The_same_counter_under_other_keys_is_none()
    {
        var watch = new CounterWatch();
        Assert.Null(watch.See(Data(1, 1, counter: 1, "one")));
        Assert.Null(watch.See(Data(2, 1, counter: 1, "two")));
        Assert.Null(watch.See(Data(1, 2, counter: 1, "three")));
        Assert.Null(watch.See(Text(0x11)));
        Assert.Null(watch.See(Data(1, 1, counter: 1, "after a key exchange")));
        Assert.Equal(0, watch.Repeats);
    }

    [Fact]
    public void The_same_bytes_again_are_told_apart()
    {
        var watch = new CounterWatch();
        Assert.Null(watch.See(Data(1, 1, counter: 1, "one")));
        Assert.Null(watch.See(Data(1, 1, counter: 1, "one")));
        Assert.Equal((2, 1), (watch.DataMessages, watch.Repeats));
    }

    [Theory]
    [InlineData("?OTR|00000100|00000200,{0},{1},{2},")]
    [InlineData("?OTR,{0},{1},{2},")]
    public void Fragments_are_put_together(string form)
    {
        var watch = new CounterWatch();
        Assert.Null(watch.See(Data(1, 1, counter: 7, "one")));
        var whole = Encoding.ASCII.GetString(Data(1, 1, counter: 7, "two"));
        int half = whole.Length / 2;
        Assert.Null(watch.See(Encoding.ASCII.GetBytes(string.Format(form, 1, 2, whole[..half]))));
        var last = Encoding.ASCII.GetBytes(string.Format(form, 2, 2, whole[half..]));
        Assert.Contains("counter 7 twice", watch.See(last), StringComparison.Ordinal);
    }

    [Fact]
    public void Counter_0_and_what_is_cut_short_are_found()
    {
        var watch = new CounterWatch();
        Assert.Contains("counter 0", watch.See(Data(1, 1, counter: 0, "zero")), StringComparison.Ordinal);
        Assert.Contains("truncated", watch.See(Text(0x03)), StringComparison.Ordinal);
        Assert.Null(watch.See("hello"u8));
        Assert.Null(watch.See("?OTRv3?"u8));
    }

    /// <summary>A version 3 data message; its MAC is nobody's.</summary>
    private static byte[] Data(int senderKey, int recipientKey, ulong counter, string ciphertext)
    {
        using var body = new MemoryStream();
        void Int(uint n)
        {
            var bytes = new byte[4];
            BinaryPrimitives.WriteUInt32BigEndian(bytes, n);
            body.Write(bytes);
        }
        void Data(byte[] data)
        {
            Int((uint)data.Length);
            body.Write(data);
        }
        body.Write([0x00, 0x03, 0x03]);
        Int(0x100);
        Int(0x200);
        body.WriteByte(0);
        Int((uint)senderKey);
        Int((uint)recipientKey);
        Data([0x05, 0x06]);
        var top = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(top, counter);
        body.Write(top);
        Data(Encoding.UTF8.GetBytes(ciphertext));
        body.Write(new byte[20]);
        Data([]);
        return Encode(body.ToArray());
    }

    /// <summary>A message of this type and nothing in it.</summary>
    private static byte[] Text(byte type) => Encode([0x00, 0x03, type, 0, 0, 1, 0, 0, 0, 2, 0]);

    private static byte[] Encode(byte[] message) => Encoding.ASCII.GetBytes($"?OTR:{Convert.ToBase64String(message)}.");
}
