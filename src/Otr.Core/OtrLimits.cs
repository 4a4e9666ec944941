namespace Otr.Core;

/// <summary>Every bound of the protocol engine, by name, in one place.</summary>
public static class OtrLimits
{
    /// <summary>Longest wire text, or sum of fragments, taken in, in bytes.</summary>
    public const int MaxWireBytes = 128 * 1024;
    /// <summary>Longest text to encrypt, in bytes.</summary>
    public const int MaxPlaintextBytes = 65_000;
    /// <summary>Longest text after a query, in bytes.</summary>
    public const int MaxQueryTextBytes = 512;
    /// <summary>Pieces that one text in the clear may leave in.</summary>
    public const int MaxClearPieces = 64;
    /// <summary>Longest use-specific data of an extra-key TLV.</summary>
    public const int MaxExtraKeyDataBytes = 1024;
    /// <summary>Longest SMP question, in bytes.</summary>
    public const int MaxSmpQuestionBytes = 4096;
    /// <summary>Longest SMP secret, in bytes.</summary>
    public const int MaxSmpSecretBytes = 4096;
    /// <summary>TLVs looked at in one data message.</summary>
    public const int MaxTlvs = 64;
    /// <summary>Longest list of revealed MAC keys passed over, in bytes; otr3 reveals a key once for each message under it.</summary>
    public const int MaxRevealedMacKeyBytes = 64 * 1024;
    /// <summary>Used MAC keys kept to be revealed with the next message.</summary>
    public const int MaxPendingReveals = 64;
    /// <summary>
    /// Sessions (peer instances) in one conversation, the ones that the peer has ended included; and senders of fragments.
    /// </summary>
    public const int MaxInstances = 8;
    /// <summary>Instances without a session whose key exchange is under way.</summary>
    public const int MaxPendingExchanges = 8;
    /// <summary>Time for which a key exchange that moves is safe from making room for another, in ms.</summary>
    public const long ExchangeGrace = 10_000;
    /// <summary>Answers taken to one D-H Commit: more than <see cref="AkeBurst"/> and its refills pay for while it lives.</summary>
    public const int MaxCommitAnswers = AkeBurst + (int)(AkeLifetime / AkeRefillInterval);
    /// <summary>Time for which a session counts as living after its last data message, in ms.</summary>
    public const long LivingInterval = 3_600_000;
    /// <summary>Messages held until a key exchange completes.</summary>
    public const int MaxHeldMessages = 8;
    /// <summary>Age at which a held message is dropped rather than sent, in ms.</summary>
    public const long HeldMessageLifetime = 120_000;
    /// <summary>The same while it is to be decided about a key of the peer (<see cref="KeyChangeAction.Hold"/>): a day.</summary>
    public const long UndecidedMessageLifetime = 86_400_000;
    /// <summary>
    /// Bytes of messages held while a decision about a key is awaited: they are written again with everything that the key's owner sends.
    /// </summary>
    public const int MaxUndecidedBytes = MaxPlaintextBytes;
    /// <summary>Age at which the last text sent is forgotten, and no longer sent again after the peer's error; in ms.</summary>
    public const long ResendWindow = 60_000;
    /// <summary>Largest block that plaintexts are padded to, in bytes.</summary>
    public const int MaxPaddingBlock = 4096;
    /// <summary>Age at which an unanswered key exchange is given up and its secrets wiped, in ms.</summary>
    public const long AkeLifetime = 120_000;
    /// <summary>Age at which an incomplete fragmented message is dropped, in ms.</summary>
    public const long FragmentLifetime = 120_000;
    /// <summary>
    /// Pieces held times bytes held of incomplete messages. The state is stored with each piece, so that this bounds what a
    /// message in tiny pieces makes be written: the longest needs pieces of 512 bytes, one of 4 KiB may have pieces of a few.
    /// </summary>
    public const int MaxFragmentWork = 32 << 20;
    /// <summary>Messages of version 4 of which pieces have come and others have not.</summary>
    public const int MaxFragmentSets = 8;
    /// <summary>Silence after which a data message is answered by a heartbeat, in ms.</summary>
    public const long HeartbeatInterval = 60_000;
    /// <summary>Least time between two queries that the engine sends by itself, in ms.</summary>
    public const long QueryInterval = 10_000;
    /// <summary>Time within which a repeated query gets the same D-H Commit again, or nothing while its exchange goes on; in ms.</summary>
    public const long CommitRepeatInterval = 2_000;
    /// <summary>Least time before the query of an unfinished key exchange is repeated, in ms; as much again at random.</summary>
    public const long QueryRetryDelay = 5_000;
    /// <summary>Repetitions of such a query.</summary>
    public const int MaxQueryRetries = 2;
    /// <summary>Least time between two OTR errors sent to the peer, in ms.</summary>
    public const long ErrorInterval = 10_000;
    /// <summary>Least time between two errors that tell the peer that its message was for another instance of ours, in ms.</summary>
    public const long OtherInstanceInterval = 600_000;
    /// <summary>Time after a message that was cut in which its rest is recognised, in ms.</summary>
    public const long CutRemainderInterval = 10_000;
    /// <summary>Least length of a piece of such a rest that is not its end: longer than words are.</summary>
    public const int MinCutPiece = 40;
    /// <summary>Longest error text of the peer that is passed on, in bytes.</summary>
    public const int MaxErrorTextBytes = 1024;
    /// <summary>Key-exchange messages of one peer that we answer with an exponentiation at once; refilled one per <see cref="AkeRefillInterval"/>.</summary>
    public const int AkeBurst = 40;
    /// <summary>Time in which one more such message is answered, in ms.</summary>
    public const long AkeRefillInterval = 3_000;
    /// <summary>
    /// What an Identity or Auth-R message of version 4 costs of them: points, ring signatures and 3072-bit powers take some 10 ms.
    /// </summary>
    public const int DakePrice = 4;
    /// <summary>Data messages held until the Auth-I that makes them readable; and bytes of them.</summary>
    public const int MaxEarlyMessages = 4;
    /// <inheritdoc cref="MaxEarlyMessages"/>
    public const int MaxEarlyBytes = 32 * 1024;
    /// <summary>Extra symmetric keys that one message may ask for, in version 4.</summary>
    public const int MaxExtraKeys = 10;
    /// <summary>SMP runs that one peer may start at once; refilled one per <see cref="SmpRefillInterval"/>.</summary>
    public const int SmpBurst = 10;
    /// <summary>Time that a user has to answer an SMP request, if the settings say nothing else; in ms.</summary>
    public const long SmpAnswerLifetime = 300_000;
    /// <summary>Time in which one more SMP run is allowed, in ms.</summary>
    public const long SmpRefillInterval = 60_000;
    /// <summary>Fingerprints remembered as seen in one conversation.</summary>
    public const int MaxKnownFingerprints = 16;
    /// <summary>Longest label of a trust level, in bytes.</summary>
    public const int MaxTrustLabelBytes = 64;
    /// <summary>Time for which an own client profile is believed, in s.</summary>
    public const long ProfileLifetime = 7 * 86_400;
    /// <summary>Time before its expiry at which an own client profile is replaced, in s.</summary>
    public const long ProfileRenewalMargin = 86_400;
    /// <summary>Time after its expiry for which an own client profile still serves messages sent to us while we were offline, in s.</summary>
    public const long ProfileGrace = 86_400;
    /// <summary>Longest time until expiry of a peer's client profile, in s.</summary>
    public const long MaxProfileLifetime = 366 * 86_400;
    /// <summary>Longest list of versions in a client profile, in bytes.</summary>
    public const int MaxProfileVersionsBytes = 9;
    /// <summary>Keys of messages that did not come, kept by a version 4 session; also the most that one message may skip.</summary>
    public const int MaxSkippedKeys = 1000;
    /// <summary>Age at which such keys are dropped and their MAC keys revealed, in ms.</summary>
    public const long SkippedKeyLifetime = 86_400_000;
}
