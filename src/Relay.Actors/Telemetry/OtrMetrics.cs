using System.Diagnostics.Metrics;
using Otr.Core;
using Otr.Core.Wire;
using Relay.Storage.Telemetry;

namespace Relay.Actors.Telemetry;

/// <summary>Metrics of the protocol: sessions, keys, verifications, and why something was rejected. Listed in docs/metrics.yaml.</summary>
internal sealed class OtrMetrics
{
    private static readonly MetricLabel<RejectReason> s_reject = new("reason");
    private static readonly MetricLabel<RefusalReason> s_refusal = new("reason");
    private static readonly MetricLabel<NoteKind> s_note = new("kind");
    private static readonly MetricLabel<SessionTrust> s_trust = new("trust");
    private static readonly MetricLabel<OtrMessageType> s_type = new("type");
    private static readonly MetricLabel<SmpEnd> s_end = new("outcome");
    private static readonly KeyValuePair<string, object?>[] s_versions =
        [.. Enumerable.Range(0, 5).Select(v => new KeyValuePair<string, object?>("version", v.ToString(null, null)))];
    private static readonly KeyValuePair<string, object?> s_received = new("direction", "received"), s_sent = new("direction", "sent"),
        s_noVersion = new("version", "none");
    private static readonly KeyValuePair<string, object?> s_cleartext = new("kind", "cleartext_received");

    private readonly Counter<long> _rejects, _refusals, _notes, _established, _ended, _keyChanges, _violations, _messages;
    private readonly Histogram<double> _smp;

    public OtrMetrics(Meter meter)
    {
        _messages = meter.CreateCounter<long>("otr.messages", "{message}", "Wire texts of peers, and for them, by what their first bytes say.");
        _rejects = meter.CreateCounter<long>("otr.rejects", "{message}", "Wire texts of peers that were rejected.");
        _refusals = meter.CreateCounter<long>("otr.refusals", "{request}", "Requests that the conversation's state does not allow.");
        _notes = meter.CreateCounter<long>("otr.notes", "{note}", "What the protocol engine noted.");
        _established = meter.CreateCounter<long>("otr.sessions.established", "{session}",
            "Key exchanges that completed, by the trust in the peer's key.");
        _ended = meter.CreateCounter<long>("otr.sessions.ended", "{session}", "Private sessions that ended.");
        _keyChanges = meter.CreateCounter<long>("otr.fingerprint.changes", "{identity}",
            "Peers that showed another key than before, by the trust in the keys they had.");
        _violations = meter.CreateCounter<long>("otr.policy.violations", "{message}",
            "Messages against what the endpoint's policy wants.");
        _smp = meter.CreateHistogram("otr.smp.duration", "s",
            "Time of a verification from its beginning to its end.", advice: HistogramBounds.Slow);
    }

    public void Received(ReadOnlySpan<byte> text) => Count(1, s_received, OtrMessageInfo.Of(text));
    public void Sent(ReadOnlySpan<byte> text) => Count(1, s_sent, OtrMessageInfo.Of(text));
    public void Rejected(RejectReason reason) => _rejects.Add(1, s_reject[reason]);
    public void Refused(RefusalReason reason) => _refusals.Add(1, s_refusal[reason]);
    public void Noted(NoteKind kind) => _notes.Add(1, s_note[kind]);
    public void Established(byte version, SessionTrust trust) => _established.Add(1, s_versions[version], s_trust[trust]);
    public void Ended(SessionCause cause) => _ended.Add(1, Cause(cause));
    public void KeyChanged(bool wasVerified) => _keyChanges.Add(1, s_trust[wasVerified ? SessionTrust.Verified : SessionTrust.Unverified]);
    public void ReceivedInTheClear() => _violations.Add(1, s_cleartext);
    public void Verified(SmpEnd end, TimeSpan time) => _smp.Record(time.TotalSeconds, s_end[end]);

    public void Begin()
    {
        foreach (var direction in (KeyValuePair<string, object?>[])[s_received, s_sent])
        {
            foreach (var type in Enum.GetValues<OtrMessageType>())
            {
                int[] versions = type is OtrMessageType.Ake or OtrMessageType.Data ? [2, 3, 4] : [0];
                foreach (int version in versions) Count(0, direction, new OtrMessageInfo(type, version));
            }
        }
        foreach (var reason in s_reject.All) _rejects.Add(0, reason);
        foreach (var reason in s_refusal.All) _refusals.Add(0, reason);
        foreach (var kind in s_note.All) _notes.Add(0, kind);
        foreach (var trust in s_trust.All)
        {
            foreach (var version in s_versions[2..]) _established.Add(0, version, trust);
        }
        foreach (var cause in (SessionCause[])
            [SessionCause.EndedByPeer, SessionCause.EndedByUs, SessionCause.Expired, SessionCause.MadeRoom])
            _ended.Add(0, Cause(cause));
        _keyChanges.Add(0, s_trust[SessionTrust.Verified]);
        _keyChanges.Add(0, s_trust[SessionTrust.Unverified]);
        _violations.Add(0, s_cleartext);
    }

    private void Count(int count, KeyValuePair<string, object?> direction, OtrMessageInfo message) => _messages.Add(
        count, direction, s_type[message.Type], message.Version == 0 ? s_noVersion : s_versions[message.Version]);

    private static KeyValuePair<string, object?> Cause(SessionCause cause) => new("cause", cause switch
    {
        SessionCause.EndedByPeer => "peer",
        SessionCause.EndedByUs => "local",
        SessionCause.Expired => "expired",
        SessionCause.MadeRoom => "made_room",
        _ => "_OTHER",
    });
}

/// <summary>The trust in a peer's key, in metrics. New: seen for the first time.</summary>
internal enum SessionTrust { Verified, Unverified, New }

/// <summary>How a verification ended, in metrics.</summary>
internal enum SmpEnd { Succeeded, Failed, Aborted, Expired }

/// <summary>Verifications by their ends in metrics.</summary>
internal static class SmpEnds
{
    /// <returns>Null: it is open.</returns>
    public static SmpEnd? Of(VerificationView verification) => verification.State switch
    {
        VerificationState.Succeeded => SmpEnd.Succeeded,
        VerificationState.Failed => SmpEnd.Failed,
        VerificationState.Cancelled => SmpEnd.Aborted,
        VerificationState.Expired => SmpEnd.Expired,
        _ => null,
    };
}
