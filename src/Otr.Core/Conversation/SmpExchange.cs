using Otr.Core.Smp;

namespace Otr.Core;

/// <summary>SMP between a session, which carries its TLVs, and the user, who knows the secret.</summary>
internal static class SmpExchange
{
    /// <summary>
    /// Whether the caller's budget has room for what an SMP message would make us compute. Only the message that begins a
    /// run is asked for, and paid for the whole: a run that goes on must be able to end.
    /// </summary>
    public static bool IsAffordable(in StepContext step, Session session, ushort type)
    {
        var smp = session.Smp!;
        var begins = smp.Arithmetic.Begins(type) && (!smp.InProgress || smp.WaitingToken is not null);
        if (!begins || !step.State.SmpBudget.Has(step.Now)) return true;
        return step.Environment.Budget?.TrySpend(ComputeCost.SmpRun) != false;
    }

    public static void Receive(in StepContext step, Session session, ushort type, ReadOnlySpan<byte> value)
    {
        var smp = session.Smp!;
        // Each message 1 is one guess at the secret, and costs exponentiations.
        if (smp.Arithmetic.Begins(type) && !step.State.SmpBudget.TryTake(step.Now))
        {
            step.Reject(RejectReason.RateLimited);
            Report(step, session, smp.Abort());
            return;
        }
        Report(step, session, smp.Receive(type, value, step.Random));
    }

    public static void Start(in StepContext step, ReadOnlyMemory<byte> secret, ReadOnlyMemory<byte>? question)
    {
        // Not the one that runs SMP: a peer could choose by its requests which of its keys is verified.
        if (step.State.BestEncrypted is not { } session)
        {
            step.Add(new OtrEffect.Refused(RefusalReason.NotEncrypted));
            return;
        }
        var smp = session.Smp!;
        var length = (question?.Length ?? 0) + smp.Arithmetic.MaxMessageBytes;
        if (secret.Length > OtrLimits.MaxSmpSecretBytes || !OutgoingData.Fits(step.State, session, length))
        {
            step.Add(new OtrEffect.Refused(RefusalReason.TooLarge));
            return;
        }
        Span<byte> x = stackalloc byte[smp.Arithmetic.SecretSize];
        smp.Arithmetic.DeriveSecret(session.Protocol!.Own(step.State.Account), session.Peer!.Value, session.Ssid, secret.Span, x);
        Report(step, session, smp.Start(x, question, step.Random));
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(x);
    }

    public static void Answer(in StepContext step, ulong token, ReadOnlyMemory<byte> secret)
    {
        // The answer goes to the session that asked, which need not be the best one by now.
        if (step.State.Sessions.Find(s => s.Smp?.WaitingToken == token) is not { } session)
        {
            step.Add(new OtrEffect.Refused(RefusalReason.SmpNotExpected));
            return;
        }
        if (secret.Length > OtrLimits.MaxSmpSecretBytes)
        {
            step.Add(new OtrEffect.Refused(RefusalReason.TooLarge));
            return;
        }
        var smp = session.Smp!;
        Span<byte> y = stackalloc byte[smp.Arithmetic.SecretSize];
        smp.Arithmetic.DeriveSecret(session.Peer!.Value, session.Protocol!.Own(step.State.Account), session.Ssid, secret.Span, y);
        Report(step, session, smp.Answer(token, y, step.Random));
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(y);
    }

    public static void Abort(in StepContext step, ulong? ssid)
    {
        var meant = ssid is null ? Session(step) : step.State.Sessions.Find(s => s.Smp is { InProgress: true } && s.Ssid == ssid);
        if (meant is not null) Report(step, meant, meant.Smp!.Abort());
        else if (ssid is not null) step.Add(new OtrEffect.Refused(RefusalReason.SmpNotExpected));
    }

    private static Session? Session(in StepContext step)
    {
        // The one that runs SMP, else the best.
        if (step.State.Sessions.Find(s => s.Smp is { InProgress: true }) is { } running) return running;
        if (step.State.BestEncrypted is { } best) return best;
        step.Add(new OtrEffect.Refused(RefusalReason.NotEncrypted));
        return null;
    }

    private static void Report(in StepContext step, Session session, SmpStep smp)
    {
        if (smp.Refusal is { } refusal)
        {
            step.Add(new OtrEffect.Refused(refusal));
            return;
        }
        step.Changed();
        if (smp.AbortFirst) OutgoingData.SendTlv(step, session, SmpTlv.Abort.Type, SmpTlv.Abort.Value);
        if (smp.Send is { } tlv) OutgoingData.SendTlv(step, session, tlv.Type, tlv.Value);
        var info = session.Info(step.OwnTag);
        if (smp.Outcome is { } outcome) step.Add(new OtrEffect.SmpChanged(outcome, smp.ProgressPercent, smp.OneWay, info));
        if (!smp.AnsweredQuestion && smp.Outcome is SmpOutcome.Success or SmpOutcome.Failure)
            Trust.Compared(step, session.Peer!.Value, smp.Outcome == SmpOutcome.Success);
        if (smp.Request is not { } request) return;
        step.Add(new OtrEffect.SmpAnswerNeeded(request.Token, request.Question is { } q ? (ReadOnlyMemory<byte>?)q : null, info));
        session.SmpAskedAt = step.Now;
        if (step.Environment.SmpAnswers is { } answers)
        {
            if (answers.Take() is { } secret) Answer(step, request.Token, secret);
            else Report(step, session, session.Smp!.Abort());
            return;
        }
        // Nobody can answer: the peer's dialog must not hang.
        if (step.State.Settings.SmpAnswerLifetime <= 0) Report(step, session, session.Smp!.Abort());
    }

    /// <summary>When the request that waits for an answer in this session is over; null if none waits.</summary>
    public static long? AnswerDue(ConversationState state, Session session) =>
        session.Smp?.WaitingToken is null ? null : Timers.Due(session.SmpAskedAt, state.Settings.SmpAnswerLifetime);

    /// <summary>A request that nobody has answered is declined.</summary>
    public static void Expire(in StepContext step, Session session)
    {
        if (session.Smp?.WaitingToken is null || !Timers.IsOver(step.Now, session.SmpAskedAt, step.State.Settings.SmpAnswerLifetime)) return;
        Report(step, session, session.Smp.Abort());
    }
}
