namespace Otr.Core;

/// <summary>What can happen to a conversation: a closed set.</summary>
public abstract record OtrInput
{
    private OtrInput() { }

    /// <summary>A message arrived from the network, as it was carried.</summary>
    /// <param name="Text">UTF-8 expected, any bytes accepted.</param>
    public sealed record WireReceived(ReadOnlyMemory<byte> Text) : OtrInput;

    /// <summary>The user wants this text sent.</summary>
    /// <param name="Text">UTF-8 without U+0000, at most <see cref="OtrLimits.MaxPlaintextBytes"/>.</param>
    /// <param name="Reference">The caller's number for it, repeated in every effect that speaks of it.</param>
    public sealed record SendRequested(ReadOnlyMemory<byte> Text, ulong Reference = 0) : OtrInput
    {
        /// <summary>
        /// The same text as it is to be in a private session, also in one that it waits for; null: as <see cref="Text"/>, which alone
        /// leaves in the clear. It has the same rules and limit.
        /// </summary>
        public ReadOnlyMemory<byte>? PrivateText { get; init; }

        /// <summary>Prints the length only.</summary>
        public override string ToString() => $"SendRequested {{ {Text.Length} bytes }}";
    }

    /// <summary>The user takes back a message that is held. It is dropped and wiped.</summary>
    /// <param name="Reference">Of its <see cref="SendRequested"/>.</param>
    public sealed record CancelRequested(ulong Reference) : OtrInput;

    /// <summary>The user asks for a private session: a query goes out.</summary>
    public sealed record StartRequested : OtrInput;

    /// <summary>The user ends the private session (spec v3, "User requests to end an OTR conversation").</summary>
    public sealed record EndRequested : OtrInput;

    /// <summary>The user starts SMP on the best session.</summary>
    /// <param name="Secret">The shared secret's bytes.</param>
    /// <param name="Question">UTF-8 without U+0000; null or empty for none.</param>
    public sealed record SmpStartRequested(ReadOnlyMemory<byte> Secret, ReadOnlyMemory<byte>? Question = null) : OtrInput
    {
        /// <summary>Prints the type only.</summary>
        public override string ToString() => nameof(SmpStartRequested);
    }

    /// <summary>The user answers the peer's SMP request.</summary>
    /// <param name="Token">From <see cref="OtrEffect.SmpAnswerNeeded"/>: ties the answer to the request it answers.</param>
    /// <param name="Secret">The shared secret's bytes.</param>
    public sealed record SmpAnswerRequested(ulong Token, ReadOnlyMemory<byte> Secret) : OtrInput
    {
        /// <summary>Prints the type only.</summary>
        public override string ToString() => nameof(SmpAnswerRequested);
    }

    /// <summary>The user aborts SMP.</summary>
    /// <param name="Ssid">Of the session whose run is meant; null: the one that runs, or else the best.</param>
    public sealed record SmpAbortRequested(ulong? Ssid = null) : OtrInput;

    /// <summary>The user wants the extra symmetric key, and the peer told of its use (TLV 8).</summary>
    /// <param name="Use">Use code, free to choose.</param>
    /// <param name="Data">Use-specific data, at most <see cref="OtrLimits.MaxExtraKeyDataBytes"/>.</param>
    public sealed record ExtraKeyRequested(uint Use, ReadOnlyMemory<byte> Data) : OtrInput;

    /// <summary>The user compared a fingerprint, or takes trust back; also for a key not seen yet.</summary>
    /// <param name="Trust">Its label has at most <see cref="OtrLimits.MaxTrustLabelBytes"/> of UTF-8.</param>
    public sealed record TrustRequested(Fingerprint Fingerprint, TrustLevel Trust) : OtrInput;

    /// <summary>
    /// The user decides whether a known key is the peer's, as one that is held (<see cref="KeyChangeAction.Hold"/>). Accepted: what
    /// was held goes to it. Refused: it is not trusted, its sessions end, what was held for it is dropped, and no exchange that shows it
    /// becomes a session until it is accepted or trusted. Harmless for a key that is not known.
    /// </summary>
    public sealed record KeyDecided(Fingerprint Fingerprint, bool IsAccepted) : OtrInput;

    /// <summary>
    /// The user brings the peer's keys from elsewhere, such as another server. Keys that are new are added while there is room, and trust
    /// is added to known ones; nothing that this conversation knows is taken away, and no <see cref="OtrEffect.TrustChanged"/> follows.
    /// </summary>
    public sealed record KeysTold(PeerKeys Peer) : OtrInput;

    /// <summary>
    /// The account's key was replaced (<see cref="OtrConversation.IsOfFormerKey"/>): sessions under the former one are ended, and the
    /// peer is told. Text that would have gone into one of them waits for a session under the new key. Harmless at any other time.
    /// </summary>
    public sealed record KeyReplaced : OtrInput;

    /// <summary>
    /// The user lets the peer be spoken with in a lower version than the highest that a key exchange has completed in; without this word
    /// that never happens, for nothing in the lower version authenticates that the higher one was not to be had.
    /// </summary>
    public sealed record LowerVersionAllowed : OtrInput;

    /// <summary>Time has passed; due at <see cref="OtrConversation.NextDeadline"/>, harmless at any time.</summary>
    public sealed record TimePassed : OtrInput;
}
