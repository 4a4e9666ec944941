using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Otr.Core;

/// <summary>
/// One endpoint's side of a conversation with one peer: the sessions with the peer's instances, the key exchange in
/// progress, fragments, held messages. Not thread-safe: one owner at a time.
/// </summary>
public sealed class OtrConversation : IDisposable
{
    private readonly ConversationState _state;

    /// <summary>A new conversation, in PLAINTEXT.</summary>
    /// <exception cref="ArgumentException">The account's instance tag is below 0x100.</exception>
    public OtrConversation(OtrAccount account, OtrSettings settings)
        : this(new ConversationState(account, settings))
    {
        if (account.InstanceTag < Wire.MessageHeader.MinInstanceTag) throw new ArgumentException("An instance tag is at least 0x100.", nameof(account));
    }

    /// <summary>
    /// A new conversation with a peer whose keys are known from before, when its sessions are lost: a key that changed meanwhile is told
    /// as changed, and no version below the highest that was spoken is spoken again.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// The account's instance tag is below 0x100, or there are more keys than <see cref="OtrLimits.MaxKnownFingerprints"/>.
    /// </exception>
    public OtrConversation(OtrAccount account, OtrSettings settings, PeerKeys peer)
        : this(account, settings)
    {
        if (peer.Known.Count > OtrLimits.MaxKnownFingerprints) throw new ArgumentException("Too many keys of one peer.", nameof(peer));
        _state.Known.AddRange(peer.Known);
        _state.LatestKey = peer.Latest;
        _state.PinnedVersion = peer.HighestVersion;
    }

    private OtrConversation(ConversationState state) => _state = state;

    /// <summary>
    /// The best session's state: encrypted before finished before plaintext, then the latest heard from; but a trusted key's session
    /// goes before all others until the user ends it, even when the peer has ended it.
    /// </summary>
    public MessageState State => _state.MessageState;

    /// <summary>The sessions that are not in PLAINTEXT, best first.</summary>
    public IReadOnlyList<SessionInfo> Sessions =>
        [.. _state.Sessions.Where(s => s.State != MessageState.Plaintext)
            .OrderByDescending(_state.Worth)
            .Select(s => s.Info(_state.Account.InstanceTag))];

    /// <summary>
    /// The peer's keys that this conversation has seen or was told of, in the order of becoming known, but the latest seen last.
    /// </summary>
    public IReadOnlyList<KnownKey> KnownKeys => [.. _state.Known.OrderBy(k => k.Fingerprint == _state.LatestKey)];

    /// <summary>What remains of the peer when all sessions are lost; to be given to a new conversation with it.</summary>
    public PeerKeys Peer => new([.. _state.Known], _state.LatestKey, _state.PinnedVersion);

    /// <summary>Unix ms at which <see cref="OtrInput.TimePassed"/> has something to do; null if nothing is pending.</summary>
    public long? NextDeadline => Timers.NextDeadline(_state);

    /// <summary>
    /// True if it was left with a key that the account has replaced: <see cref="OtrInput.KeyReplaced"/> is due before the next snapshot.
    /// </summary>
    public bool IsOfFormerKey => _state.IsOfFormerKey;

    /// <summary>True if the last <see cref="Step"/> changed what a snapshot holds.</summary>
    public bool IsDirty => _state.IsDirty;

    /// <summary>
    /// Takes one input and appends what it asks for to <paramref name="effects"/>. Never throws for anything a peer can
    /// send. The effects must not be carried out before the state is durable, if it is to be: an encrypted message that
    /// is sent, forgotten and encrypted anew uses an AES-CTR counter twice.
    /// </summary>
    public void Step(OtrInput input, in OtrEnvironment environment, List<OtrEffect> effects)
    {
        (_state.IsDirty, _state.IsPostponed) = (false, false);
        var step = new StepContext(_state, environment, effects);
        Timers.Expire(step);
        switch (input)
        {
            case OtrInput.WireReceived received: IncomingText.Receive(step, received.Text); break;
            case OtrInput.SendRequested send: Requests.Send(step, send); break;
            case OtrInput.CancelRequested cancel: Requests.Cancel(step, cancel.Reference); break;
            case OtrInput.StartRequested: Requests.OfferSession(step, asked: true); break;
            case OtrInput.EndRequested: Requests.End(step); break;
            case OtrInput.SmpStartRequested smp: SmpExchange.Start(step, smp.Secret, smp.Question); break;
            case OtrInput.SmpAnswerRequested smp: SmpExchange.Answer(step, smp.Token, smp.Secret); break;
            case OtrInput.SmpAbortRequested smp: SmpExchange.Abort(step, smp.Ssid); break;
            case OtrInput.ExtraKeyRequested extra: Requests.UseExtraKey(step, extra.Use, extra.Data); break;
            case OtrInput.TrustRequested trust: Trust.Request(step, trust.Fingerprint, trust.Trust); break;
            case OtrInput.KeyDecided decided: Trust.Decide(step, decided.Fingerprint, decided.IsAccepted); break;
            case OtrInput.KeysTold told: Trust.Tell(step, told.Peer); break;
            case OtrInput.KeyReplaced: Requests.LeaveFormerKey(step); break;
            case OtrInput.LowerVersionAllowed: Requests.AllowLowerVersion(step); break;
            case OtrInput.TimePassed: Timers.Run(step); break;
            default: throw new ArgumentOutOfRangeException(nameof(input), input, "An input of a kind that does not exist.");
        }
    }

    /// <summary>Writes the whole conversation, secrets included: seal it before it is stored.</summary>
    public void WriteSnapshot(IBufferWriter<byte> destination) => ConversationSnapshot.Write(_state, destination);

    /// <summary>Reads a snapshot back. False if it is damaged, of an unknown version, or of another account.</summary>
    public static bool TryRestore(ReadOnlySpan<byte> snapshot, OtrAccount account, OtrSettings settings, [NotNullWhen(true)] out OtrConversation? conversation)
    {
        var state = ConversationSnapshot.TryRead(snapshot, account, settings);
        conversation = state is null ? null : new OtrConversation(state);
        return conversation is not null;
    }

    /// <summary>Wipes every secret.</summary>
    public void Dispose() => _state.Dispose();
}
