namespace Otr.Core;

/// <summary>What an account chooses for a conversation.</summary>
public sealed record OtrSettings
{
    /// <summary>What is allowed and done unasked.</summary>
    public OtrPolicy Policy { get; init; } = OtrPolicy.Managed;

    /// <summary>
    /// Version 4 may be spoken by an account that has an identity for it. Not part of any policy until all of it is there.
    /// </summary>
    internal bool SpeaksVersion4 { get; init; }

    /// <summary>
    /// True: version 4 hashes the secret of SMP as otr4j does, not as the specification says. Nothing on the wire tells which of the two a
    /// peer does, and between them a right answer fails.
    /// </summary>
    public bool HashesSmpSecretAsOtr4j { get; init; }

    /// <summary>
    /// Our address and the peer's as both sides know them, in the network's one spelling (XMPP: bare JIDs): version 4 signs them, and a
    /// difference shows only as a signature that does not verify.
    /// </summary>
    public string OwnAddress { get; init; } = "";

    /// <inheritdoc cref="OwnAddress"/>
    public string PeerAddress { get; init; } = "";

    /// <summary>
    /// Longest wire text the network takes, in bytes; longer messages leave in fragments, and text in the clear in pieces. 0: no limit.
    /// </summary>
    public int MaxWireBytes { get; init; }

    /// <summary>
    /// Whether the network's messages are lines, as IRC's are: text in the clear leaves as one message for each line, never with a line end
    /// in it. Private text may have any.
    /// </summary>
    public bool SingleLine { get; init; }

    /// <summary>
    /// Text after the query, for people whose client has no OTR, in their language; at most
    /// <see cref="OtrLimits.MaxQueryTextBytes"/>, empty for none. No account name, no markup; line ends in it become blanks.
    /// </summary>
    public string QueryText { get; init; } =
        "This contact asks for an Off-the-Record private conversation. Your client does not support it; see https://otr.cypherpunks.ca/.";

    /// <summary>
    /// Whether a query, a tag or a D-H Commit is answered that comes unasked from a peer with whom no session has stood.
    /// An answer tells a stranger that somebody is there.
    /// </summary>
    public bool AnswersStrangers { get; init; } = true;

    /// <summary>
    /// Whether the last text is sent once more, marked "[resent] ", when the peer reports an error and the same key then
    /// completes a new exchange with the same instance within <see cref="OtrLimits.ResendWindow"/>. Costs a copy of it in
    /// memory and in snapshots for that long, and errors are not authenticated: the peer may get a text twice.
    /// </summary>
    public bool ResendsLast { get; init; }

    /// <summary>
    /// Pads the plaintext of each data message to a multiple of this many bytes, at most
    /// <see cref="OtrLimits.MaxPaddingBlock"/>, so that its length tells less; 0: no padding.
    /// </summary>
    public int PaddingBlock { get; init; }

    /// <summary>
    /// Whether text goes to trusted keys only; otherwise it is refused (<see cref="RefusalReason.NotTrusted"/>). What a session with
    /// another key brings is still delivered.
    /// </summary>
    public TrustRequirement TrustRequirement { get; init; }

    /// <summary>
    /// What is done when the peer shows another key than before. Whatever it is, a session whose key is trusted is never replaced by one
    /// whose key is not.
    /// </summary>
    public KeyChangeAction KeyChange { get; init; }

    /// <summary>
    /// Time that the user has to answer the peer's SMP request, in ms; then it is declined, for the peer's dialog waits for it. 0: nobody
    /// can answer, and it is declined at once, the request being told all the same.
    /// </summary>
    public long SmpAnswerLifetime { get; init; } = OtrLimits.SmpAnswerLifetime;

    /// <summary>
    /// Idle time after which a private session is ended and wiped, in ms; 0: never. By default a fortnight: keys of a session that
    /// nobody uses are a risk without a use, and a contact who comes back gets a new session by one key exchange.
    /// </summary>
    public long SessionIdleLifetime { get; init; } = 14L * 24 * 3_600_000;
}

/// <summary>What is done when the peer shows another key than before. People have several devices, and lose them.</summary>
public enum KeyChangeAction : byte
{
    /// <summary>The session is taken, and the user is told.</summary>
    Report = 0,
    /// <summary>
    /// While a private session stands, an exchange that shows another key is refused, and also while the peer has ended it and the user has
    /// not.
    /// </summary>
    Refuse = 1,
    /// <summary>
    /// The session is taken and the user told, but text to it is held until the user has accepted, verified or refused the key
    /// (<see cref="OtrInput.KeyDecided"/>). What it brings is delivered. It also stays so if the setting changes.
    /// </summary>
    Hold = 2,
}

/// <summary>Whether a key must be trusted before text goes to it.</summary>
public enum TrustRequirement : byte
{
    /// <summary>Text goes to any key.</summary>
    None = 0,
    /// <summary>Once a key of the peer is trusted, text goes to trusted keys only.</summary>
    OnceTrusted = 1,
    /// <summary>Text goes to trusted keys only, from the first one on.</summary>
    Always = 2,
}

/// <summary>One account's identity: what it signs with and how its instance is told apart.</summary>
/// <param name="Key">The long-term DSA key; owned by the caller, who disposes of it after the last conversation.</param>
/// <param name="InstanceTag">At least 0x100, kept for the account's life on this server.</param>
public sealed record OtrAccount(DsaPrivateKey Key, uint InstanceTag)
{
    /// <summary>The identity in version 4, owned by the caller as <see cref="Key"/> is; null: only versions 2 and 3 are spoken.</summary>
    public Ed448IdentityKey? Identity { get; init; }

    /// <summary>
    /// DSA keys that the account had before <see cref="Key"/>: conversations that were left with one of them can be restored, and end their
    /// sessions (<see cref="OtrInput.KeyReplaced"/>).
    /// </summary>
    public IReadOnlyCollection<Fingerprint> FormerKeys { get; init; } = [];

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(OtrAccount);
}
