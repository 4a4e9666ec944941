using Otr.Core.Crypto;

namespace Otr.Core.V3.Ake;

/// <summary>What an AKE message led to: a message to send, a reason for refusing, a completed exchange; or nothing.</summary>
internal readonly record struct AkeStep(byte[]? Send = null, RejectReason? Reject = null, AkeCompletion? Completed = null)
{
    public static AkeStep Refuse(RejectReason reason) => new(Reject: reason);
}

/// <summary>A completed key exchange; its secrets belong to whoever takes it.</summary>
/// <param name="Own">Our D-H pair, key id 1.</param>
/// <param name="PeerPublic">The peer's D-H public key, of id <see cref="VerifiedPeer.KeyId"/>.</param>
/// <param name="DataKeys">For exactly that pair.</param>
/// <param name="FirstHalfBold">We sent the Reveal Signature: the first word of the ssid is ours to read out.</param>
internal sealed record AkeCompletion(VerifiedPeer Peer, byte Version, DhKeyPair Own, byte[] PeerPublic, SessionKeys DataKeys, ulong Ssid, bool FirstHalfBold) : IDisposable
{
    /// <summary>Wipes the secrets of an exchange that nobody takes.</summary>
    public void Dispose()
    {
        Own.Dispose();
        DataKeys.Dispose();
    }
}
