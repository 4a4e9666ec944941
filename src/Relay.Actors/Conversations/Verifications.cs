using System.Text;
using Otr.Core;
using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>How the verifications that a peer begins are answered.</summary>
/// <param name="Lifetime">Time that the bot has for it; zero: they are declined at once.</param>
/// <param name="IsAutomatic">They are answered by a stored secret, and the bot is not asked.</param>
internal readonly record struct SmpAnswering(TimeSpan Lifetime, bool IsAutomatic);

/// <summary>
/// The verifications of a conversation: those that are open, and the latest that have ended. It follows the effects of the protocol
/// engine, which has one run for each session.
/// </summary>
internal sealed class Verifications
{
    /// <summary>Bytes of the smallest entry.</summary>
    private const int LeastEntrySize = 8 + 4 + 4 + 1 + 4 + 4 + 1 + 1 + 3 * 8 + 2 * 8;

    private readonly List<Run> _runs = [];
    private ulong _last;

    /// <param name="Ssid">The session's.</param>
    /// <param name="Token">To be given with the answer; 0 if we began.</param>
    private sealed record Run(VerificationView View, ulong Ssid, ulong Token);

    /// <summary>
    /// Creates the verifications of a conversation whose state was lost. Its runs get numbers beyond any that it had, so that a name that
    /// somebody kept does not mean another run.
    /// </summary>
    public static Verifications AfterLoss(long nowMs) => new() { _last = (ulong)Math.Max(0, nowMs) };

    /// <summary>Verifications without any, whose runs get numbers beyond those of this one.</summary>
    public Verifications Emptied() => new() { _last = _last };

    public IReadOnlyList<VerificationView> Views => [.. _runs.Select(r => r.View)];

    /// <summary>The run that was begun last; 0 if there was none.</summary>
    public ulong Last => _last;

    /// <summary>When the next run expires that only we end, in Unix ms: the engine ends those that wait for our answer.</summary>
    public long? NextExpiryMs
    {
        get
        {
            long? next = null;
            foreach (var run in _runs)
            {
                if (!run.View.IsOpen || run.View.State == VerificationState.WaitingForAnswer) continue;
                long expires = run.View.Expires.ToUnixTimeMilliseconds();
                if (next is null || expires < next) next = expires;
            }
            return next;
        }
    }

    /// <summary>The session of a run that has expired; null if none has.</summary>
    public ulong? Expired(long nowMs) => _runs.Find(r => r.View is { IsOpen: true, State: not VerificationState.WaitingForAnswer }
        && r.View.Expires.ToUnixTimeMilliseconds() <= nowMs)?.Ssid;

    /// <summary>The token to answer a run with; null unless it waits for our answer.</summary>
    public ulong? TokenOf(ulong number)
        => _runs.Find(r => r.View.Number == number && r.View.State == VerificationState.WaitingForAnswer)?.Token;

    /// <summary>The session of an open run.</summary>
    public ulong? SessionOf(ulong number) => _runs.Find(r => r.View.Number == number && r.View.IsOpen)?.Ssid;

    /// <summary>Follows one step.</summary>
    /// <param name="sessions">After the step.</param>
    /// <returns>The runs that began to wait or ended, in order. One that is answered automatically does not wait.</returns>
    public IReadOnlyList<VerificationView> Follow(
        OtrInput input, IReadOnlyList<OtrEffect> effects, IReadOnlyList<SessionInfo> sessions, SmpAnswering answering, long nowMs)
    {
        List<VerificationView>? changed = null;
        void Tell(VerificationView? view)
        {
            if (view is not null) (changed ??= []).Add(view);
        }
        bool haveSessionsChanged = false;
        VerificationView? declined = null;
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case OtrEffect.SmpAnswerNeeded asked:
                    Tell(End(asked.Session.Ssid, VerificationState.Cancelled, VerificationEnd.Replaced, nowMs));
                    var asking = Begin(asked.Session, asked.Token, asked.Question ?? default, answering, nowMs);
                    if (answering is { IsAutomatic: false, Lifetime: var time } && time > TimeSpan.Zero) Tell(asking);
                    else declined = asking;
                    break;
                case OtrEffect.SmpChanged { Outcome: SmpOutcome.InProgress } going when input is OtrInput.SmpStartRequested start:
                    Tell(End(going.Session.Ssid, VerificationState.Cancelled, VerificationEnd.Replaced, nowMs));
                    Begin(going.Session, null, start.Question ?? default, new SmpAnswering(RelayLimits.VerificationLifetime, false), nowMs);
                    break;
                // In message 2 the peer's answer has arrived; our own is sent with it.
                case OtrEffect.SmpChanged { Outcome: SmpOutcome.InProgress, ProgressPercent: >= 50 } going:
                    Advance(going.Session.Ssid, nowMs);
                    declined = null;
                    break;
                case OtrEffect.SmpChanged { Outcome: not SmpOutcome.InProgress } ended:
                    Tell(declined is null ? End(ended, input, nowMs) : Decline(ended.Session.Ssid, declined, nowMs));
                    declined = null;
                    break;
                case OtrEffect.SessionChanged:
                    haveSessionsChanged = true;
                    break;
            }
        }
        if (!haveSessionsChanged) return changed ?? [];
        foreach (var run in _runs.Where(r => r.View.IsOpen).ToList())
        {
            if (!sessions.Any(s => s.Ssid == run.Ssid && s.State == MessageState.Encrypted))
                Tell(End(run.Ssid, VerificationState.Cancelled, VerificationEnd.SessionEnded, nowMs));
        }
        return changed ?? [];
    }

    /// <summary>Ends a run whose session the engine no longer has.</summary>
    public IReadOnlyList<VerificationView> EndLost(ulong session, long nowMs)
        => End(session, VerificationState.Cancelled, VerificationEnd.SessionEnded, nowMs) is { } ended ? [ended] : [];

    public void Write(RowWriter row)
    {
        row.UInt64(_last);
        row.UInt32((uint)_runs.Count);
        foreach (var (view, ssid, token) in _runs)
        {
            WriteView(row, view);
            row.UInt64(ssid);
            row.UInt64(token);
        }
    }

    public static Verifications Read(ref RowReader row)
    {
        var verifications = new Verifications { _last = row.UInt64() };
        for (int n = row.Count(LeastEntrySize); n > 0; n--)
        {
            if (ReadView(ref row) is not { } view) break;
            verifications._runs.Add(new Run(view, row.UInt64(), row.UInt64()));
        }
        return verifications;
    }

    public static void WriteView(RowWriter row, VerificationView view)
    {
        row.UInt64(view.Number);
        row.Name(view.State);
        row.Name(view.End);
        row.Bool(view.IsBegunByPeer);
        row.Text(view.Question);
        SessionCodec.WriteFingerprint(row, view.Peer);
        row.Bool(view.IsOneWay);
        row.Bool(view.IsAutomatic);
        row.Int64(view.Begun.ToUnixTimeMilliseconds());
        row.Int64(view.Updated.ToUnixTimeMilliseconds());
        row.Int64(view.Expires.ToUnixTimeMilliseconds());
    }

    /// <returns>Null, and the row has failed, if it is damaged.</returns>
    public static VerificationView? ReadView(ref RowReader row)
    {
        ulong number = row.UInt64();
        var (state, end, isPeers, question) = (row.Name<VerificationState>(), row.Name<VerificationEnd>(), row.Bool(), row.Text());
        var peer = SessionCodec.ReadFingerprint(ref row);
        bool isOneWay = row.Bool(), isAutomatic = row.Bool();
        var (begun, updated, expires) = (Time(row.Int64()), Time(row.Int64()), Time(row.Int64()));
        if (peer is null) row.Fail();
        return row.HasFailed ? null
            : new VerificationView(number, state, end, isPeers, question, peer!.Value, isOneWay, begun, updated, expires)
            {
                IsAutomatic = isAutomatic,
            };
    }

    private VerificationView Begin(
        SessionInfo session, ulong? token, ReadOnlyMemory<byte> question, SmpAnswering answering, long nowMs)
    {
        // Those that the peer began go first: it must not push out the results of ours.
        while (_runs.Count >= RelayLimits.MaxVerifications)
        {
            int oldest = _runs.FindIndex(r => r.View is { IsOpen: false, IsBegunByPeer: true });
            if (oldest < 0) oldest = _runs.FindIndex(r => !r.View.IsOpen);
            if (oldest < 0) break;
            _runs.RemoveAt(oldest);
        }
        var now = Time(nowMs);
        var view = new VerificationView(++_last, token is null ? VerificationState.WaitingForPeer : VerificationState.WaitingForAnswer,
            VerificationEnd.None, token is not null, Encoding.UTF8.GetString(question.Span), session.PeerFingerprint!.Value, false,
            now, now, now + answering.Lifetime) { IsAutomatic = answering.IsAutomatic };
        _runs.Add(new Run(view, session.Ssid, token ?? 0));
        return view;
    }

    /// <summary>Ends a run that was declined as soon as it was begun. Its one event tells the question.</summary>
    private VerificationView? Decline(ulong ssid, VerificationView run, long nowMs)
    {
        var why = run.IsAutomatic ? VerificationEnd.TooManyAttempts : VerificationEnd.DeclinedByUs;
        return End(ssid, VerificationState.Cancelled, why, nowMs) is { } end ? end with { Question = run.Question } : null;
    }

    private void Advance(ulong ssid, long nowMs)
    {
        int i = _runs.FindIndex(r => r.Ssid == ssid && r.View.IsOpen);
        if (i < 0) return;
        var now = Time(nowMs);
        _runs[i] = _runs[i] with
        {
            View = _runs[i].View with
            {
                State = VerificationState.Running, Updated = now, Expires = now + RelayLimits.VerificationLifetime,
            },
        };
    }

    private VerificationView? End(OtrEffect.SmpChanged ended, OtrInput input, long nowMs)
    {
        var ssid = ended.Session.Ssid;
        switch (ended.Outcome)
        {
            case SmpOutcome.Success:
                return End(ssid, VerificationState.Succeeded, VerificationEnd.None, nowMs, ended.OneWay);
            case SmpOutcome.Failure:
                return End(ssid, VerificationState.Failed, VerificationEnd.SecretsDiffer, nowMs);
            case SmpOutcome.Cheated:
                return End(ssid, VerificationState.Failed, VerificationEnd.InvalidProof, nowMs);
            case SmpOutcome.ProtocolError:
                return End(ssid, VerificationState.Cancelled, VerificationEnd.ProtocolError, nowMs);
        }
        bool isLate = _runs.Exists(r => r.Ssid == ssid && r.View.IsOpen && r.View.Expires > r.View.Begun
            && r.View.Expires.ToUnixTimeMilliseconds() <= nowMs);
        if (isLate) return End(ssid, VerificationState.Expired, VerificationEnd.None, nowMs);
        return End(ssid, VerificationState.Cancelled,
            input is OtrInput.WireReceived ? VerificationEnd.DeclinedByPeer : VerificationEnd.DeclinedByUs, nowMs);
    }

    /// <returns>The run that ended; null if the session had none open.</returns>
    private VerificationView? End(ulong ssid, VerificationState state, VerificationEnd end, long nowMs, bool isOneWay = false)
    {
        int i = _runs.FindIndex(r => r.Ssid == ssid && r.View.IsOpen);
        if (i < 0) return null;
        // The question is not kept: the row is written with every message.
        var view = _runs[i].View with { State = state, End = end, IsOneWay = isOneWay, Question = "", Updated = Time(nowMs) };
        _runs[i] = new Run(view, ssid, 0);
        return view;
    }

    private static DateTimeOffset Time(long ms)
        => DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(ms, 0, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()));
}
