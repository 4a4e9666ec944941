using Otr.Core;
using Relay.Actors.Files;

namespace Relay.Actors;

/// <summary>
/// A command to a conversation. Each carries an idempotency key of the caller; a bridge's message ids and a bot's request ids
/// are separate spaces.
/// </summary>
public abstract record Command(string RequestId)
{
    /// <summary>Number of bytes of its text.</summary>
    internal int TextLength => this switch
    {
        ReceiveWire wire => wire.Text.Length,
        SendText send => send.Text.Length,
        StartSmp smp => smp.Secret.Length + smp.Question.Length,
        AnswerSmp smp => smp.Secret.Length,
        SetAnswerSecret { Secret: { } secret } => secret.Utf8.Length,
        OfferFile => FileLimits.MaxNameBytes + FileLimits.MaxMediaTypeBytes + FileLimits.MaxUrlBytes,
        _ => 0,
    };

    /// <summary>Wire text from a bridge; the id is the bridge's message id.</summary>
    public sealed record ReceiveWire(string RequestId, ReadOnlyMemory<byte> Text) : Command(RequestId)
    {
        /// <summary>
        /// Id of the message before this one, which need not be answered yet: this one is executed only after it, otherwise
        /// the reply is <see cref="ConversationReply.Unavailable"/> with <see cref="ConversationReply.OutOfOrder"/>. So several
        /// can be in flight in order. Null: the caller keeps the order itself.
        /// </summary>
        public string? After { get; init; }

        /// <summary>When the network says that it was sent; null: the network does not say.</summary>
        public DateTimeOffset? NetworkTime { get; init; }

        public override string ToString() => nameof(ReceiveWire);
    }

    /// <summary>Plaintext from a bot, UTF-8.</summary>
    public sealed record SendText(string RequestId, ReadOnlyMemory<byte> Text) : Command(RequestId)
    {
        public override string ToString() => nameof(SendText);
    }

    /// <summary>Takes back a message that is held.</summary>
    /// <param name="Message">The message's id.</param>
    public sealed record CancelSend(string RequestId, string Message) : Command(RequestId);

    /// <summary>Tells what became of a message on the network. Its request id is in a space of its own.</summary>
    /// <param name="Message">The message's id.</param>
    /// <param name="Sequence">The refused one of its wire texts in the endpoint's stream; 0 with a confirmation.</param>
    /// <param name="Failure">Why the network refused it: a stable name. Null: the peer's program has confirmed it.</param>
    public sealed record SettleSend(string RequestId, string Message, ulong Sequence, string? Failure) : Command(RequestId);

    public sealed record StartSession(string RequestId) : Command(RequestId);

    public sealed record EndSession(string RequestId) : Command(RequestId);

    /// <summary>Begins SMP in the best session. The reply names the verification.</summary>
    /// <param name="Secret">The shared secret's bytes, as the peer's program takes them from its dialog: UTF-8.</param>
    /// <param name="Question">UTF-8; empty for none.</param>
    public sealed record StartSmp(string RequestId, ReadOnlyMemory<byte> Secret, ReadOnlyMemory<byte> Question) : Command(RequestId)
    {
        public override string ToString() => nameof(StartSmp);
    }

    /// <summary>Answers a verification that the peer began.</summary>
    public sealed record AnswerSmp(string RequestId, ulong Verification, ReadOnlyMemory<byte> Secret) : Command(RequestId)
    {
        public override string ToString() => nameof(AnswerSmp);
    }

    /// <summary>Declines or aborts an open verification.</summary>
    public sealed record AbortSmp(string RequestId, ulong Verification) : Command(RequestId);

    /// <summary>Sets how far a key of the peer is trusted; also one that was not seen yet.</summary>
    /// <param name="Trust">Null: unchanged.</param>
    /// <param name="Note">Null: unchanged.</param>
    public sealed record SetTrust(string RequestId, Fingerprint Fingerprint, TrustLevel? Trust, string? Note) : Command(RequestId)
    {
        public override string ToString() => nameof(SetTrust);
    }

    /// <summary>
    /// Adds what another server knows of the peer's keys. What this conversation knows itself is kept, and no events tell of it.
    /// </summary>
    /// <param name="Identities">At most <see cref="OtrLimits.MaxKnownFingerprints"/>.</param>
    /// <param name="Latest">The key that the peer showed last; null if it never showed one.</param>
    /// <param name="HighestVersion">The highest version of OTR that was spoken; 0 for none.</param>
    public sealed record ImportKeys(
        string RequestId, IReadOnlyList<IdentityView> Identities, Fingerprint? Latest, byte HighestVersion) : Command(RequestId)
    {
        internal PeerKeys Keys => new([.. Identities.Select(Conversations.Identities.KeyOf)], Latest, HighestVersion);

        public override string ToString() => nameof(ImportKeys);
    }

    /// <summary>Decides whether a known key of the peer is taken for the peer's.</summary>
    public sealed record DecideKey(string RequestId, Fingerprint Fingerprint, bool IsAccepted) : Command(RequestId)
    {
        public override string ToString() => nameof(DecideKey);
    }

    /// <summary>Sets the secret that the peer's verifications are answered with; null: removes it.</summary>
    public sealed record SetAnswerSecret(string RequestId, SmpSecret? Secret) : Command(RequestId)
    {
        public override string ToString() => nameof(SetAnswerSecret);
    }

    /// <summary>
    /// Ends the sessions, and forgets everything but the peer's keys and the ids of requests. The conversation is not found any more until
    /// a command by peer begins it again.
    /// </summary>
    public sealed record Delete(string RequestId) : Command(RequestId);

    /// <summary>Changes labels.</summary>
    /// <param name="Labels">By key; null: the label is removed.</param>
    /// <param name="ReplacesAll">True: labels that are not named are removed.</param>
    /// <param name="Revision">The revision of the labels that the caller has seen; null: any.</param>
    public sealed record SetLabels(
        string RequestId, IReadOnlyDictionary<string, string?> Labels, bool ReplacesAll, ulong? Revision) : Command(RequestId)
    {
        public override string ToString() => nameof(SetLabels);
    }

    /// <summary>Offers the peer a file that was uploaded, in the best session.</summary>
    internal sealed record OfferFile : Command
    {
        /// <param name="file">As it is stored, with its digest.</param>
        /// <param name="revision">The revision of its row.</param>
        public OfferFile(string requestId, string fileId, FileRecord file, ulong revision, long expiresMs) : base(requestId)
            => (FileId, File, Revision, ExpiresMs) = (fileId, file, revision, expiresMs);

        public string FileId { get; }
        public FileRecord File { get; }
        public ulong Revision { get; }
        public long ExpiresMs { get; }

        public override string ToString() => nameof(OfferFile);
    }

    /// <summary>Tells the bot that all of a peer's file has come. Its request id is in a space of its own.</summary>
    public sealed record ReportFile(string RequestId, FileView File) : Command(RequestId)
    {
        public override string ToString() => nameof(ReportFile);
    }
}
