using System.Text;
using Otr.Core.Wire;

namespace Otr.Core.V4.Dake;

/// <summary>
/// What the two ring signatures of a DAKE are over (checklist C5). Bob sent the Identity message, Alice the Auth-R message. Profiles enter
/// as they were received, numbers as MPIs.
/// </summary>
internal static class DakeTranscript
{
    private const int HashSize = 64;

    /// <summary>
    /// phi: who speaks with whom, under which tags and with which first keys, from the author's side. Nothing is sorted: so do otr4j and
    /// otrr (C5.1).
    /// </summary>
    /// <param name="author">Whose message it is for.</param>
    /// <param name="authorAddress">As both sides know it.</param>
    public static byte[] Phi(
        uint authorTag, uint receiverTag, DakePublicKeys author, DakePublicKeys receiver, string authorAddress, string receiverAddress)
    {
        var writer = new OtrWriter(1024);
        writer.UInt32(authorTag);
        writer.UInt32(receiverTag);
        writer.Raw(author.FirstEcdh.Encoding);
        writer.Mpi(author.FirstDh);
        writer.Raw(receiver.FirstEcdh.Encoding);
        writer.Mpi(receiver.FirstDh);
        writer.Data(Encoding.UTF8.GetBytes(authorAddress));
        writer.Data(Encoding.UTF8.GetBytes(receiverAddress));
        return writer.ToArrayAndDispose();
    }

    /// <summary>t of Auth-R, whose author is Alice.</summary>
    public static byte[] OfAuthR(
        ReadOnlySpan<byte> bobProfile, ReadOnlySpan<byte> aliceProfile, DakePublicKeys bob, DakePublicKeys alice, ReadOnlySpan<byte> phi) =>
        Of(0x00, KdfUsage.AuthRBobClientProfile, KdfUsage.AuthRAliceClientProfile, KdfUsage.AuthRPhi,
            bobProfile, aliceProfile, bob, alice, phi);

    /// <summary>t of Auth-I, whose author is Bob.</summary>
    public static byte[] OfAuthI(
        ReadOnlySpan<byte> bobProfile, ReadOnlySpan<byte> aliceProfile, DakePublicKeys bob, DakePublicKeys alice, ReadOnlySpan<byte> phi) =>
        Of(0x01, KdfUsage.AuthIBobClientProfile, KdfUsage.AuthIAliceClientProfile, KdfUsage.AuthIPhi,
            bobProfile, aliceProfile, bob, alice, phi);

    private static byte[] Of(
        byte first, KdfUsage bobUsage, KdfUsage aliceUsage, KdfUsage phiUsage, ReadOnlySpan<byte> bobProfile,
        ReadOnlySpan<byte> aliceProfile, DakePublicKeys bob, DakePublicKeys alice, ReadOnlySpan<byte> phi)
    {
        var writer = new OtrWriter(2048);
        writer.Byte(first);
        Kdf.Derive(bobUsage, writer.Reserve(HashSize), bobProfile);
        Kdf.Derive(aliceUsage, writer.Reserve(HashSize), aliceProfile);
        writer.Raw(bob.Ecdh.Encoding);
        writer.Raw(alice.Ecdh.Encoding);
        writer.Mpi(bob.Dh);
        writer.Mpi(alice.Dh);
        Kdf.Derive(phiUsage, writer.Reserve(HashSize), phi);
        return writer.ToArrayAndDispose();
    }
}
