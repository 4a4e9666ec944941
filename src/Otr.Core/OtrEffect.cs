namespace Otr.Core;

/// <summary>What one step asks for: a closed set, to be carried out in order.</summary>
public abstract record OtrEffect
{
    private OtrEffect() { }

    /// <summary>Carry this to the peer. Already in fragments if the network has a limit.</summary>
    /// <param name="Text">The wire text; the receiver of the effect owns the memory.</param>
    public sealed record SendWire(ReadOnlyMemory<byte> Text) : OtrEffect
    {
        /// <summary>Prints the length only.</summary>
        public override string ToString() => $"SendWire {{ {Text.Length} bytes }}";
    }

    /// <summary>Give this text to the user.</summary>
    /// <param name="Text">UTF-8 as the peer sent it: not validated, not escaped.</param>
    /// <param name="Encrypted">True only if it came, authenticated, through a private session.</param>
    /// <param name="UnexpectedlyClear">It came in the clear although a session stands (or stood) or policy requires encryption.</param>
    /// <param name="Session">The session it came through, or null if in the clear.</param>
    public sealed record DeliverText(ReadOnlyMemory<byte> Text, bool Encrypted, bool UnexpectedlyClear, SessionInfo? Session) : OtrEffect
    {
        /// <summary>Prints the length only.</summary>
        public override string ToString() => $"DeliverText {{ {Text.Length} bytes, Encrypted = {Encrypted} }}";
    }

    /// <summary>A session changed its message state, or was replaced by a new key exchange.</summary>
    public sealed record SessionChanged(SessionInfo Session, SessionCause Cause) : OtrEffect;

    /// <summary>A completed key exchange showed a key that this conversation had not seen before, or another than last.</summary>
    /// <param name="Trust">What this key was trusted with before: a changed key does not inherit the trust of the last.</param>
    public sealed record FingerprintSeen(Fingerprint Fingerprint, bool IsNew, bool IsChanged, TrustLevel Trust) : OtrEffect;

    /// <summary>The trust in a key of the peer changed: SMP succeeded or failed, or the user said so.</summary>
    public sealed record TrustChanged(Fingerprint Fingerprint, TrustLevel Trust) : OtrEffect;

    /// <summary>The user has decided about a key of the peer; one that is refused has lost its trust.</summary>
    public sealed record KeyDecided(Fingerprint Fingerprint, KeyStanding Standing) : OtrEffect;

    /// <summary>What became of a <see cref="OtrInput.SendRequested"/>.</summary>
    public sealed record SendOutcome(ulong Reference, SendDisposition Disposition) : OtrEffect;

    /// <summary>An input of the peer was refused; nothing of the session changed.</summary>
    /// <param name="Quiet">The sender said that it does not matter, or it was never meant for us: not worth telling a person.</param>
    public sealed record Rejected(RejectReason Reason, bool Quiet = false) : OtrEffect;

    /// <summary>A local request could not be done in this state; nothing changed.</summary>
    public sealed record Refused(RefusalReason Reason, ulong Reference = 0) : OtrEffect;

    /// <summary>The peer reported an error. The text is the peer's: untrusted, never markup.</summary>
    public sealed record PeerError(ReadOnlyMemory<byte> Text) : OtrEffect
    {
        /// <summary>Prints the length only.</summary>
        public override string ToString() => $"PeerError {{ {Text.Length} bytes }}";
    }

    /// <summary>The peer started SMP and waits for our secret.</summary>
    /// <param name="Token">To be given with the answer.</param>
    /// <param name="Question">The peer's question, untrusted UTF-8; null if none was sent.</param>
    public sealed record SmpAnswerNeeded(ulong Token, ReadOnlyMemory<byte>? Question, SessionInfo Session) : OtrEffect
    {
        /// <summary>Prints the token only.</summary>
        public override string ToString() => $"SmpAnswerNeeded {{ {Token} }}";
    }

    /// <summary>SMP went on or came to an end.</summary>
    /// <param name="OneWay">Success that proves only the responder's knowledge: a question was used and we answered it.</param>
    public sealed record SmpChanged(SmpOutcome Outcome, int ProgressPercent, bool OneWay, SessionInfo Session) : OtrEffect;

    /// <summary>The extra symmetric key, ours to use now; wipe it afterwards.</summary>
    /// <param name="Sent">True: we asked for it; false: the peer did.</param>
    /// <param name="Key">32 bytes, owned by the receiver of the effect.</param>
    public sealed record ExtraKey(bool Sent, uint Use, ReadOnlyMemory<byte> Data, byte[] Key) : OtrEffect
    {
        /// <summary>Prints the use code only.</summary>
        public override string ToString() => $"ExtraKey {{ Use = {Use} }}";
    }

    /// <summary>Something worth knowing that needs no action.</summary>
    public sealed record Noted(NoteKind Kind) : OtrEffect;
}

/// <summary>The message states (spec v3, "Message state").</summary>
public enum MessageState : byte
{
    /// <summary>No private session.</summary>
    Plaintext = 0,
    /// <summary>A private session stands.</summary>
    Encrypted = 1,
    /// <summary>The peer ended the session; nothing is sent until the user decides.</summary>
    Finished = 2,
}

/// <summary>Why a session changed.</summary>
public enum SessionCause
{
    /// <summary>A key exchange completed.</summary>
    KeyExchange,
    /// <summary>The peer's disconnect TLV.</summary>
    EndedByPeer,
    /// <summary>The user's request.</summary>
    EndedByUs,
    /// <summary>Idle for longer than policy allows.</summary>
    Expired,
    /// <summary>It was the one missed least when a new session needed room; it is forgotten.</summary>
    MadeRoom,
}

/// <summary>What became of a message to be sent.</summary>
public enum SendDisposition
{
    /// <summary>Encrypted; its wire text is among the effects.</summary>
    Encrypted,
    /// <summary>Sent in the clear, as policy allows.</summary>
    Clear,
    /// <summary>Held until the key exchange that was asked for completes, or until it is decided about the session's key.</summary>
    Held,
    /// <summary>A held message that will not be sent: too old, or the peer's key is another one.</summary>
    Dropped,
}

/// <summary>SMP outcomes.</summary>
public enum SmpOutcome
{
    /// <summary>A step was taken.</summary>
    InProgress,
    /// <summary>The secrets are equal.</summary>
    Success,
    /// <summary>The secrets differ.</summary>
    Failure,
    /// <summary>One side aborted.</summary>
    Aborted,
    /// <summary>A proof of the peer did not verify.</summary>
    Cheated,
    /// <summary>The peer sent an SMP message that its state does not allow.</summary>
    ProtocolError,
}

/// <summary>Kinds of <see cref="OtrEffect.Noted"/>.</summary>
public enum NoteKind
{
    /// <summary>The peer's heartbeat arrived.</summary>
    HeartbeatReceived,
    /// <summary>A heartbeat was sent.</summary>
    HeartbeatSent,
    /// <summary>A message held or lost was sent again in a new session.</summary>
    Resent,
    /// <summary>A fragment was stored; the rest is awaited.</summary>
    FragmentStored,
    /// <summary>A key exchange has begun.</summary>
    KeyExchangeStarted,
    /// <summary>A key exchange was given up unanswered.</summary>
    KeyExchangeExpired,
}

/// <summary>What is public about one session with one instance of the peer.</summary>
/// <param name="Version">2 or 3.</param>
/// <param name="OurInstanceTag">0 in version 2.</param>
/// <param name="PeerInstanceTag">0 in version 2.</param>
/// <param name="Ssid">Secure session id as two big-endian words in one (spec v3: first 8 bytes of h2(0x00)).</param>
/// <param name="SsidFirstHalfBold">True: the first word is ours to read out.</param>
public sealed record SessionInfo(
    MessageState State, byte Version, uint OurInstanceTag, uint PeerInstanceTag,
    Fingerprint? PeerFingerprint, ulong Ssid, bool SsidFirstHalfBold);
