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
internal sealed partial class SmpState(SmpArithmetic arithmetic) : IDisposable
{
    private SecretBytes? _kept;
    private ulong _token;
    private bool _questionAsked;

    public SmpPhase Phase { get; private set; }

    /// <summary>What the session's version computes.</summary>
    public SmpArithmetic Arithmetic => arithmetic;

    /// <summary>A run is going on.</summary>
    public bool InProgress => Phase != SmpPhase.ExpectMessage1;

    /// <summary>The token of the request that waits for our secret, or null.</summary>
    public ulong? WaitingToken => Phase == SmpPhase.WaitingForSecret ? _token : null;

    /// <summary>Starts a run, as initiator; a run in progress is aborted first.</summary>
    /// <param name="secretX"><see cref="SmpArithmetic.DeriveSecret"/> with our fingerprint first.</param>
    /// <param name="question">UTF-8 without U+0000, at most <see cref="OtrLimits.MaxSmpQuestionBytes"/>; null or empty for none.</param>
    public SmpStep Start(ReadOnlySpan<byte> secretX, ReadOnlyMemory<byte>? question, IRandomSource random)
    {
        CheckSecret(secretX, nameof(secretX));
        // An empty question asks nothing; a null array becomes one on its way through ReadOnlyMemory.
        if (question is { IsEmpty: true }) question = null;
        if (question is { } asked)
        {
            if (asked.Length > OtrLimits.MaxSmpQuestionBytes) return new SmpStep { Refusal = RefusalReason.TooLarge };
            if (asked.Span.Contains((byte)0)) return new SmpStep { Refusal = RefusalReason.InvalidText };
        }
        var replaced = InProgress;
        Reset();
        var message = arithmetic.Message1(secretX, question, random, out var kept);
        Enter(SmpPhase.ExpectMessage2, kept);
        _questionAsked = question is not null;
        return new SmpStep
        {
            AbortFirst = replaced,
            Send = message,
            Outcome = SmpOutcome.InProgress,
            ProgressPercent = 25,
        };
    }

    /// <summary>Answers the peer's request.</summary>
    /// <param name="token">That of the <see cref="SmpRequest"/>: an answer to another question is refused.</param>
    /// <param name="secretY"><see cref="SmpArithmetic.DeriveSecret"/> with the peer's fingerprint first.</param>
    public SmpStep Answer(ulong token, ReadOnlySpan<byte> secretY, IRandomSource random)
    {
        CheckSecret(secretY, nameof(secretY));
        if (Phase != SmpPhase.WaitingForSecret || token != _token) return new SmpStep { Refusal = RefusalReason.SmpNotExpected };
        var message = arithmetic.Message2(secretY, _kept!.Span, random, out var kept);
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
        (_, SmpPhase.ExpectMessage1 or SmpPhase.WaitingForSecret) when arithmetic.Begins(tlvType) =>
            ReceiveMessage1(tlvType, value, random),
        (TlvType.Smp2, SmpPhase.ExpectMessage2) => ReceiveMessage2(value, random),
        (TlvType.Smp3, SmpPhase.ExpectMessage3) => ReceiveMessage3(value, random),
        (TlvType.Smp4, SmpPhase.ExpectMessage4) => ReceiveMessage4(value),
        _ when arithmetic.IsSmp(tlvType) => End(SmpOutcome.ProtocolError, SmpTlv.Abort),
        _ => throw new ArgumentOutOfRangeException(nameof(tlvType), tlvType, "Not an SMP TLV."),
    };

    /// <summary>
    /// The peer's abort; whatever it carries. In ExpectMessage4 nothing waits for the peer's user any more: an abort there
    /// is how otr3 and potr say that the secrets differ, where the specification sends message 4.
    /// </summary>
    private SmpStep ReceiveAbort() =>
        End(Phase == SmpPhase.ExpectMessage4 ? SmpOutcome.Failure : SmpOutcome.Aborted, null);

    private SmpStep ReceiveMessage1(ushort tlvType, ReadOnlySpan<byte> value, IRandomSource random)
    {
        if (!arithmetic.TryTakeMessage1(tlvType, value, out var question, out var kept)) return Cheated();
        if (question is { Length: > OtrLimits.MaxSmpQuestionBytes }) return End(SmpOutcome.Aborted, SmpTlv.Abort);
        Enter(SmpPhase.WaitingForSecret, kept);
        _questionAsked = question is not null;
        Span<byte> token = stackalloc byte[sizeof(ulong)];
        random.Fill(token);
        _token = BinaryPrimitives.ReadUInt64BigEndian(token);
        return new SmpStep { Outcome = SmpOutcome.InProgress, ProgressPercent = 25, Request = new SmpRequest(_token, question) };
    }

    private SmpStep ReceiveMessage2(ReadOnlySpan<byte> value, IRandomSource random)
    {
        var message = arithmetic.Message3(value, _kept!.Span, random, out var kept);
        if (message is null) return Cheated();
        Enter(SmpPhase.ExpectMessage4, kept);
        return new SmpStep { Send = new SmpTlv(TlvType.Smp3, message), Outcome = SmpOutcome.InProgress, ProgressPercent = 75 };
    }

    private SmpStep ReceiveMessage3(ReadOnlySpan<byte> value, IRandomSource random)
    {
        var message = arithmetic.Message4(value, _kept!.Span, random, out var equal);
        return message is null ? Cheated() : Compared(equal, new SmpTlv(TlvType.Smp4, message), oneWay: _questionAsked);
    }

    // The initiator learns that the peer knew the answer, question or not.
    private SmpStep ReceiveMessage4(ReadOnlySpan<byte> value) =>
        arithmetic.Compare(value, _kept!.Span) is { } equal ? Compared(equal, null, oneWay: false) : Cheated();

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

    private void CheckSecret(ReadOnlySpan<byte> secret, string name)
    {
        if (secret.Length == arithmetic.SecretSize) return;
        throw new ArgumentException($"A derived secret of this version has {arithmetic.SecretSize} bytes.", name);
    }

    /// <inheritdoc/>
    public void Dispose() => Reset();
}
