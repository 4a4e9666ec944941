using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Conversations;

public sealed class PaddingTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(256)]
    [InlineData(1_000_000)]
    public void Every_plaintext_is_a_multiple_of_the_block_and_arrives_without_its_padding(int block)
    {
        Party us = new(1, new OtrSettings { PaddingBlock = block }), peer = new(2);
        Network.Establish(us, peer);
        var texts = Enumerable.Range(1, 40).Select(n => new string('x', n)).ToArray();
        foreach (var text in texts)
        {
            var wire = us.Send(text).Wire().Single();
            Assert.Equal(0, ReadData.Of(wire).Ciphertext.Length % Math.Min(block, OtrLimits.MaxPaddingBlock));
            peer.Receive(wire);
        }
        Assert.Equal(texts, peer.PrivateTexts);
        Assert.Equal(texts.Length, peer.All.OfType<OtrEffect.DeliverText>().Count());
        Network.Run(us, peer, us.Step(new OtrInput.ExtraKeyRequested(3, default)));
        Assert.Single(peer.All.OfType<OtrEffect.ExtraKey>());
        Network.Run(us, peer, us.End());
        Assert.Equal(MessageState.Finished, peer.Conversation.State);
    }

    [Fact]
    public void Without_a_block_nothing_is_added()
    {
        Party us = new(1), peer = new(2);
        Network.Establish(us, peer);
        Assert.Equal(6, ReadData.Of(us.Send("hello").Wire().Single()).Ciphertext.Length);
    }
}
