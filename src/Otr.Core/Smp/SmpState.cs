using System.Buffers.Binary;
using Otr.Core.Crypto;
using Otr.Core.Wire;

namespace Otr.Core.Smp;

/// <summary>The states of SMP (spec v3, "SMP state machine", with one more: the user has not answered yet).</summary>
internal enum SmpPhase : byte
{
    /// <summary>No run.</summary>
    ExpectMessage1 = 0,
    /// <summary>Message 1 was taken; our user's secret is awaited.</summary>
    WaitingForSecret = 1,
    /// <summary>We sent message 1.</summary>
    ExpectMessage2 = 2,
    /// <summary>We sent message 2.</summary>
    ExpectMessage3 = 3,
    /// <summary>We sent message 3.</summary>
    ExpectMessage4 = 4,
}

/// <summary>
/// One session's socialist millionaires' protocol: does the peer know the same secret? Without I/O; what comes in has been
/// authenticated by the session, what is asked for comes back as an <see cref="SmpStep"/>. Every end of a run, good or
/// bad, wipes what it kept and leads to <see cref="SmpPhase.ExpectMessage1"/>.
/// </summary>
internal sealed partial class SmpState : IDisposable
{
    private SecretBytes? _kept;
    private ulong _token;
    private bool _questionAsked;

    public SmpPhase Phase { get; private set; }

    /// <summary>A run is going on.</summary>
    public bool InProgress => Phase != SmpPhase.ExpectMessage1;

    /// <summary>The token of the request that waits for our secret, or null.</summary>
    public ulong? WaitingToken => Phase == SmpPhase.WaitingForSecret ? _token : null;

    /// <summary>Starts a run, as initiator; a run in progress is aborted first.</summary>
    /// <param name="secretX"><see cref="SmpSecret.Derive"/> with our fingerprint first; 32 bytes.</param>
    /// <param name="question">UTF-8 without U+0000, at most <see cref="OtrLimits.MaxSmpQuestionBytes"/>; null or empty for none.</param>
    public SmpStep Start(ReadOnlySpan<byte> secretX, ReadOnlyMemory<byte>? question, IRandomSource random)
    {
        if (secretX.Length != SmpSecret.Size) throw new ArgumentException("A derived secret has 32 bytes.", nameof(secretX));
        // An empty question asks nothing; a null array becomes one on its way through ReadOnlyMemory.
        if (question is { IsEmpty: true }) question = null;
        if (question is { } asked)
        {
            if (asked.Length > OtrLimits.MaxSmpQuestionBytes) return new SmpStep { Refusal = RefusalReason.TooLarge };
            if (asked.Span.Contains((byte)0)) return new SmpStep { Refusal = RefusalReason.InvalidText };
        }
        var replaced = InProgress;
        Reset();
        byte[] prefix = question is { } q ? [.. q.Span, 0] : [];
        var message = SmpInitiator.Message1(secretX, prefix, random, out var kept);
        Enter(SmpPhase.ExpectMessage2, kept);
        _questionAsked = question is not null;
        return new SmpStep
        {
            AbortFirst = replaced,
            Send = new SmpTlv(question is null ? TlvType.Smp1 : TlvType.Smp1Q, message),
            Outcome = SmpOutcome.InProgress,
            ProgressPercent = 25,
        };
    }

    /// <summary>Answers the peer's request.</summary>
    /// <param name="token">That of the <see cref="SmpRequest"/>: an answer to another question is refused.</param>
    /// <param name="secretY"><see cref="SmpSecret.Derive"/> with the peer's fingerprint first; 32 bytes.</param>
    public SmpStep Answer(ulong token, ReadOnlySpan<byte> secretY, IRandomSource random)
    {
        if (secretY.Length != SmpSecret.Size) throw new ArgumentException("A derived secret has 32 bytes.", nameof(secretY));
        if (Phase != SmpPhase.WaitingForSecret || token != _token) return new SmpStep { Refusal = RefusalReason.SmpNotExpected };
        var message = SmpResponder.Message2(secretY, _kept!.Span, random, out var kept);
        Enter(SmpPhase.ExpectMessage3, kept);
        return new SmpStep { Send = new SmpTlv(TlvType.Smp2, message), Outcome = SmpOutcome.InProgress, ProgressPercent = 50 };
    }

    /// <summary>The user gives up, or the request is declined; sends an abort in every state, as libotr does.</summary>
    public SmpStep Abort() => End(SmpOutcome.Aborted, SmpTlv.Abort);

    /// <summary>Takes a TLV of the peer. Never throws for anything in <paramref name="value"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not an SMP TLV.</exception>
    public SmpStep Receive(ushort tlvType, ReadOnlySpan<byte> value, IRandomSource random) => (tlvType, Phase) switch
    {
        (TlvType.SmpAbort, _) => ReceiveAbort(),
        // While our user has not answered, a new question replaces the old one, as in libotr: the peer's user has pressed the button again.
        (TlvType.Smp1, SmpPhase.ExpectMessage1 or SmpPhase.WaitingForSecret) => ReceiveMessage1(null, value, random),
        (TlvType.Smp1Q, SmpPhase.ExpectMessage1 or SmpPhase.WaitingForSecret) => ReceiveMessage1Q(value, random),
        (TlvType.Smp2, SmpPhase.ExpectMessage2) => ReceiveMessage2(value, random),
        (TlvType.Smp3, SmpPhase.ExpectMessage3) => ReceiveMessage3(value, random),
        (TlvType.Smp4, SmpPhase.ExpectMessage4) => ReceiveMessage4(value),
        _ when TlvType.IsSmp(tlvType) => End(SmpOutcome.ProtocolError, SmpTlv.Abort),
        _ => throw new ArgumentOutOfRangeException(nameof(tlvType), tlvType, "Not an SMP TLV."),
    };

    /// <summary>
    /// The peer's abort; whatever it carries. In ExpectMessage4 nothing waits for the peer's user any more: an abort there
    /// is how otr3 and potr say that the secrets differ, where the specification sends message 4.
    /// </summary>
    private SmpStep ReceiveAbort() =>
        End(Phase == SmpPhase.ExpectMessage4 ? SmpOutcome.Failure : SmpOutcome.Aborted, null);

    private SmpStep ReceiveMessage1Q(ReadOnlySpan<byte> value, IRandomSource random)
    {
        var end = value.IndexOf((byte)0);
        if (end < 0) return Cheated();
        return end > OtrLimits.MaxSmpQuestionBytes
            ? End(SmpOutcome.Aborted, SmpTlv.Abort)
            : ReceiveMessage1(value[..end].ToArray(), value[(end + 1)..], random);
    }

    private SmpStep ReceiveMessage1(byte[]? question, ReadOnlySpan<byte> value, IRandomSource random)
    {
        if (!SmpResponder.TryTakeMessage1(value, out var kept)) return Cheated();
        Enter(SmpPhase.WaitingForSecret, kept);
        _questionAsked = question is not null;
        Span<byte> token = stackalloc byte[sizeof(ulong)];
        random.Fill(token);
        _token = BinaryPrimitives.ReadUInt64BigEndian(token);
        return new SmpStep { Outcome = SmpOutcome.InProgress, ProgressPercent = 25, Request = new SmpRequest(_token, question) };
    }

    private SmpStep ReceiveMessage2(ReadOnlySpan<byte> value, IRandomSource random)
    {
        var message = SmpInitiator.Message3(value, _kept!.Span, random, out var kept);
        if (message is null) return Cheated();
        Enter(SmpPhase.ExpectMessage4, kept);
        return new SmpStep { Send = new SmpTlv(TlvType.Smp3, message), Outcome = SmpOutcome.InProgress, ProgressPercent = 75 };
    }

    private SmpStep ReceiveMessage3(ReadOnlySpan<byte> value, IRandomSource random)
    {
        var message = SmpResponder.Message4(value, _kept!.Span, random, out var equal);
        return message is null ? Cheated() : Compared(equal, new SmpTlv(TlvType.Smp4, message), oneWay: _questionAsked);
    }

    // The initiator learns that the peer knew the answer, question or not.
    private SmpStep ReceiveMessage4(ReadOnlySpan<byte> value) =>
        SmpInitiator.Compare(value, _kept!.Span) is { } equal ? Compared(equal, null, oneWay: false) : Cheated();

    private SmpStep Compared(bool equal, SmpTlv? send, bool oneWay) =>
        End(equal ? SmpOutcome.Success : SmpOutcome.Failure, send) with { OneWay = equal && oneWay, AnsweredQuestion = oneWay };

    private SmpStep Cheated() => End(SmpOutcome.Cheated, SmpTlv.Abort);

    private SmpStep End(SmpOutcome outcome, SmpTlv? send)
    {
        Reset();
        return new SmpStep
        {
            Send = send,
            Outcome = outcome,
            ProgressPercent = outcome is SmpOutcome.Success or SmpOutcome.Failure ? 100 : 0,
        };
    }

    private void Enter(SmpPhase phase, SecretBytes? kept)
    {
        _kept?.Dispose();
        _kept = kept;
        Phase = phase;
    }

    /// <summary>Wipes the run: a new key exchange, the session's end, a restart. Says nothing to the peer.</summary>
    public void Reset()
    {
        Enter(SmpPhase.ExpectMessage1, null);
        _token = 0;
        _questionAsked = false;
    }

    /// <inheritdoc/>
    public void Dispose() => Reset();
}
