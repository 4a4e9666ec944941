using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;
using Otr.Core.V3;
using Otr.Core.Wire;

namespace Otr.Core.Tests.Wire;

/// <summary>The messages of a real exchange have the layouts and sizes of checklist A4.</summary>
public sealed class MessageLayoutTests
{
    // Value bytes that may be missing because an MPI has no leading zeros: g^x or g^y, and four MPIs of a public key.
    private const int Slack = 4;

    [Theory]
    [InlineData(3, 247, 207, 521, 501)]
    [InlineData(2, 239, 199, 513, 493)]
    public void Ake_messages_have_their_sizes(int version, int commit, int key, int reveal, int signature)
    {
        var settings = new OtrSettings { Policy = version == 3 ? OtrPolicy.AllowV3 : OtrPolicy.AllowV2 };
        Party a = new(1, settings), b = new(2, settings);
        var wires = new List<byte[]>();
        var next = a.Start().Wire().ToList();
        for (Party to = b, from = a; next.Count > 0; (to, from) = (from, to))
        {
            wires.AddRange(next.Where(WireText.IsMessage).Select(w => WireText.Decode(w)));
            next = [.. next.SelectMany(w => to.Receive(w).Wire())];
        }
        Assert.Equal([0x02, 0x0a, 0x11, 0x12], wires.Select(w => (int)w[2]));
        foreach (var (wire, expected) in wires.Zip([commit, key, reveal, signature]))
        {
            Assert.Equal([0, (byte)version], wire[..2]);
            Assert.InRange(wire.Length, expected - Slack, expected);
        }
        if (version == 2) return;
        Assert.Equal(Int(b.Account.InstanceTag), wires[0][3..7]);
        Assert.Equal(new byte[4], wires[0][7..11]);
        Assert.Equal([.. Int(a.Account.InstanceTag), .. Int(b.Account.InstanceTag)], wires[1][3..11]);
        Assert.Equal([.. Int(b.Account.InstanceTag), .. Int(a.Account.InstanceTag)], wires[2][3..11]);
    }

    [Fact]
    public void A_first_data_message_has_counter_one_key_ids_one_and_a_text_that_ends_with_a_zero()
    {
        Party a = new(1), b = new(2);
        Network.Establish(a, b);
        var message = ReadData.Of(a.Send("hello").Wire().Single());
        Assert.Equal((3, 0, 1u, 1u, 1ul), (message.Version, message.Flags, message.SenderKeyId, message.RecipientKeyId, message.Counter));
        Assert.Equal((a.Account.InstanceTag, b.Account.InstanceTag), (message.SenderTag, message.ReceiverTag));
        Assert.Equal("hello".Length + 1, message.Ciphertext.Length);
        Assert.Empty(message.Revealed);
        Assert.Equal(2ul, ReadData.Of(a.Send("again").Wire().Single()).Counter);
    }

    [Fact]
    public void The_specifications_data_message_parses_to_its_fields()
    {
        var message = WireText.Decode(SpecificationExample.Message.Utf8());
        var reader = new OtrReader(message);
        var header = MessageHeader.Read(ref reader);
        Assert.True(DataMessage.TryParse(message, ref reader, out var data));
        Assert.Equal((3, MessageType.Data, 0x27e31599u, 0x27e31597u), (header.Version, header.Type, header.SenderTag, header.ReceiverTag));
        Assert.Equal((0, 1u, 2u, 192, 1ul), (data.Flags, data.SenderKeyId, data.RecipientKeyId, data.NextY.Length, data.Counter));
        Assert.Equal(Convert.FromHexString("c0d8888b932cfb"), data.Ciphertext.ToArray());
        Assert.Equal(Convert.FromHexString("83ec63f2f68a9913b6aba49dfc7a1e874bbe4dd1"), data.Mac.ToArray());
        Assert.Equal(message.Length - 24, data.Authenticated.Length);
    }

    private static byte[] Int(uint value) => new Fields().Int(value).ToArray();
}
