using Otr.Core.Crypto;

namespace Otr.Core.V3.Ake;

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
internal sealed class AuthContext : PendingExchange
{
    private byte _version;

    public AuthState State { get; private set; }
    public override byte Version => _version;
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
    /// <summary>Data keys of key ids 1/1, from the same s (AWAITING_SIG).</summary>
    public SessionKeys? DataKeys { get; set; }
    /// <summary>
    /// The message last sent, to be repeated byte by byte: encrypting X anew under the same c would use the key stream
    /// twice.
    /// </summary>
    public byte[]? Sent { get; set; }

    /// <summary>A message of this version was sent, which leads to this state.</summary>
    public void Enter(AuthState state, byte version, long now) => (State, _version, Touched) = (state, version, now);

    public override bool IsUnderWay => State != AuthState.None;

    /// <summary>Back to NONE, everything wiped.</summary>
    public override void Reset()
    {
        State = AuthState.None;
        Own?.Dispose();
        R?.Dispose();
        Keys?.Dispose();
        DataKeys?.Dispose();
        (Own, R, Keys, DataKeys) = (null, null, null, null);
        base.Reset();
        HashedGx = EncryptedGx = PeerPublic = Sent = null;
    }
}
