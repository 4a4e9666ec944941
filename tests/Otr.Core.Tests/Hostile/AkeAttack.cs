using System.Numerics;
using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Hostile;

/// <summary>An exchange of ours with a peer made by hand, up to the message that is bent.</summary>
internal sealed class AkeAttack(byte version = 3)
{
    private readonly HandMadeAke _peer = new(TestKeys.Of(2), version == 3 ? 0x2222u : 0, seed: 5, version);
    private BigInteger _ours;

    public Party Us { get; } = new(1, new OtrSettings { Policy = version == 3 ? OtrPolicy.AllowV3 : OtrPolicy.AllowV2 });

    public HandMadeAke Peer => _peer;
    /// <summary>Our g^x or g^y, once known.</summary>
    public BigInteger Ours => _ours;
    public uint Tag => version == 3 ? Us.Account.InstanceTag : 0;

    /// <summary>The peer commits and we have answered; g^x may be bent.</summary>
    public AkeAttack Committed(byte[]? gx = null, byte[]? hash = null)
    {
        _ours = _peer.ReadKey(Us.Receive(_peer.Commit(0, gx, hash)).Wire().Single());
        return this;
    }

    /// <summary>We commit, the peer answers, we have revealed.</summary>
    public AkeAttack Revealed()
    {
        var commit = Us.Receive($"?OTRv{version}?").Wire().Single();
        _ours = _peer.ReadReveal(commit, Us.Receive(_peer.Key(Tag)).Wire().Single());
        return this;
    }

    public List<OtrEffect> SendReveal(XFaults? faults = null) => Us.Receive(_peer.Reveal(Tag, _ours, faults));
    public List<OtrEffect> SendSignature(XFaults? faults = null) => Us.Receive(_peer.Signature(Tag, _ours, faults));

    /// <summary>A bent X is refused in either message, and the honest one after it is taken.</summary>
    public static void AssertRevealRefused(RejectReason reason, XFaults faults)
    {
        foreach (byte version in new byte[] { 3, 2 })
        {
            var alice = new AkeAttack(version).Committed();
            ParsingTests.AssertRefusedOnly(alice.Us, alice.Peer.Reveal(alice.Tag, alice.Ours, faults), reason);
            alice.SendReveal();
            Assert.Equal(MessageState.Encrypted, alice.Us.Conversation.State);

            var bob = new AkeAttack(version).Revealed();
            ParsingTests.AssertRefusedOnly(bob.Us, bob.Peer.Signature(bob.Tag, bob.Ours, faults), reason);
            bob.SendSignature();
            Assert.Equal(MessageState.Encrypted, bob.Us.Conversation.State);
        }
    }
}
