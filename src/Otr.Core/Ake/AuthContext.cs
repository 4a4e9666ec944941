using Otr.Core.Crypto;
using Otr.Core.Ratchet;

namespace Otr.Core.Ake;

/// <summary>The authentication states (spec v3, "Authentication state").</summary>
internal enum AuthState : byte
{
    None = 0,
    AwaitingDhKey = 1,
    AwaitingRevealSig = 2,
    AwaitingSig = 3,
}

/// <summary>
/// What a key exchange in progress holds. Which fields are set follows from <see cref="State"/>; the names are the
/// specification's, seen from whoever holds this.
/// </summary>
internal sealed class AuthContext : IDisposable
{
    public AuthState State { get; set; }
    public byte Version { get; set; }
    /// <summary>Unix ms of the last progress; the secrets are wiped <see cref="OtrLimits.AkeLifetime"/> later.</summary>
    public long Touched { get; set; }
    /// <summary>x or y.</summary>
    public DhKeyPair? Own { get; set; }
    /// <summary>The Commit's AES key (AWAITING_DHKEY).</summary>
    public SecretBytes? R { get; set; }
    /// <summary>SHA-256 of MPI(g^x): ours in AWAITING_DHKEY, the peer's in AWAITING_REVEALSIG.</summary>
    public byte[]? HashedGx { get; set; }
    /// <summary>The peer's encrypted g^x (AWAITING_REVEALSIG).</summary>
    public byte[]? EncryptedGx { get; set; }
    /// <summary>The peer's g^y (AWAITING_SIG), 192 bytes.</summary>
    public byte[]? PeerPublic { get; set; }
    /// <summary>Keys of the exchange (AWAITING_SIG).</summary>
    public AkeKeys? Keys { get; set; }
    /// <summary>A Commit that an instance has answered: a new query gets a new one.</summary>
    public bool IsAnswered { get; set; }
    /// <summary>Data keys of key ids 1/1, from the same s (AWAITING_SIG).</summary>
    public SessionKeys? DataKeys { get; set; }
    /// <summary>
    /// The message last sent, to be repeated byte by byte: encrypting X anew under the same c would use the key stream
    /// twice.
    /// </summary>
    public byte[]? Sent { get; set; }

    /// <summary>Back to NONE, everything wiped.</summary>
    public void Reset()
    {
        State = AuthState.None;
        Own?.Dispose();
        R?.Dispose();
        Keys?.Dispose();
        DataKeys?.Dispose();
        (Own, R, Keys, DataKeys) = (null, null, null, null);
        IsAnswered = false;
        HashedGx = EncryptedGx = PeerPublic = Sent = null;
    }

    public void Dispose() => Reset();
}
