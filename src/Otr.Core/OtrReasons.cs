namespace Otr.Core;

/// <summary>Why an input of the peer was refused. Values, never exceptions; stable names for logs and metrics.</summary>
public enum RejectReason
{
    /// <summary>Not decodable: bad envelope, base64, lengths, trailing bytes.</summary>
    Malformed,
    /// <summary>Longer than <see cref="OtrLimits.MaxWireBytes"/>.</summary>
    TooLarge,
    /// <summary>A version that policy, pin or session does not allow.</summary>
    VersionNotAllowed,
    /// <summary>A message type that this version does not have.</summary>
    UnknownType,
    /// <summary>For another of our instances, or with an invalid instance tag.</summary>
    OtherInstance,
    /// <summary>A sender instance tag below 0x100.</summary>
    InvalidInstanceTag,
    /// <summary>An AKE message that the state does not expect.</summary>
    UnexpectedAkeMessage,
    /// <summary>A Diffie-Hellman value outside 2..p−2.</summary>
    InvalidGroupElement,
    /// <summary>The hash in the D-H Commit is not that of the revealed g^x.</summary>
    CommitMismatch,
    /// <summary>A MAC did not verify.</summary>
    BadMac,
    /// <summary>A signature did not verify.</summary>
    BadSignature,
    /// <summary>
    /// An exchange that shows another key while a private session stands, where that is refused, or a key that the user has refused.
    /// </summary>
    KeyChanged,
    /// <summary>A DSA public key that fails the parameter checks.</summary>
    InvalidPublicKey,
    /// <summary>A client profile of version 4 that has expired, would be believed for too long, or does not speak version 4.</summary>
    InvalidProfile,
    /// <summary>Our own message or key came back.</summary>
    Reflected,
    /// <summary>A data message outside a private session.</summary>
    NotEncrypted,
    /// <summary>A key id that is not current or previous.</summary>
    UnknownKeyId,
    /// <summary>A counter that is not above the last one seen: a replay, or out of order.</summary>
    Replay,
    /// <summary>A fragment that does not fit.</summary>
    BadFragment,
    /// <summary>Neither text nor a message that OTR knows.</summary>
    UnknownMessage,
    /// <summary>Too many key exchanges or SMP runs; later ones are taken again.</summary>
    RateLimited,
    /// <summary>A stranger asks for a session, and the account answers none.</summary>
    NotInvited,
    /// <summary>
    /// No session can make room for this one (docs/room-for-sessions.md): too many key exchanges are under way, or the sessions there
    /// are with keys that this one's may not put out.
    /// </summary>
    NoRoom,
    /// <summary>The caller's <see cref="IComputeBudget"/> said no. Nothing changed: the same message may be given again later.</summary>
    Overloaded,
}

/// <summary>Why a local request was refused.</summary>
public enum RefusalReason
{
    /// <summary>The peer has ended the session: end ours or start a new one first.</summary>
    SessionFinished,
    /// <summary>No private session stands.</summary>
    NotEncrypted,
    /// <summary>The session's key is not trusted, others are, and the settings let text go to trusted keys only.</summary>
    NotTrusted,
    /// <summary>Policy allows no version at all.</summary>
    NotAllowed,
    /// <summary>Longer than its limit.</summary>
    TooLarge,
    /// <summary>Contains U+0000, which ends the text on the wire.</summary>
    InvalidText,
    /// <summary>Too many messages are held already, or too many bytes.</summary>
    TooManyHeld,
    /// <summary>No SMP request waits for this answer.</summary>
    SmpNotExpected,
    /// <summary>The message to be cancelled is not held: it has left, or was given up.</summary>
    NotHeld,
    /// <summary>The session's key took another's place, and it is not decided whether it is the peer's.</summary>
    KeyHeld,
}
