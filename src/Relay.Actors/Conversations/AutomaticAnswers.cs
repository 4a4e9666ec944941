using Otr.Core;
using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>
/// Answers the verifications that a peer begins by a stored secret: the conversation's own, or else the endpoint's. Every answer lets the
/// peer test one guess, so that a day has a number of them; the requests beyond it are declined.
/// </summary>
internal sealed class AutomaticAnswers
{
    private long _windowStartMs;
    private uint _given;

    /// <summary>The secret for this peer; null: that of the endpoint, if it has one.</summary>
    public SmpSecret? Secret { get; set; }

    /// <returns>What answers requests; null if there is no secret, and the bot is asked.</returns>
    public ISmpAnswers? For(SmpSecret? ofEndpoint, long nowMs)
        => (Secret ?? ofEndpoint) is { } secret ? new Answering(this, secret, nowMs) : null;

    private sealed class Answering(AutomaticAnswers answers, SmpSecret secret, long nowMs) : ISmpAnswers
    {
        // Typed, because a null without a type would become an empty secret.
        public ReadOnlyMemory<byte>? Take() => answers.TrySpend(nowMs) ? secret.Utf8 : default(ReadOnlyMemory<byte>?);
    }

    private bool TrySpend(long nowMs)
    {
        // A clock that was set back gives no further answers, and does not take them for longer than a window.
        if (nowMs < _windowStartMs) _windowStartMs = nowMs;
        if (nowMs - _windowStartMs >= RelayLimits.AutomaticAnswerWindow.TotalMilliseconds) (_windowStartMs, _given) = (nowMs, 0);
        if (_given >= RelayLimits.MaxAutomaticAnswers) return false;
        _given++;
        return true;
    }

    public void Write(RowWriter row)
    {
        WriteSecret(row, Secret);
        row.Int64(_windowStartMs);
        row.UInt32(_given);
    }

    public static AutomaticAnswers Read(ref RowReader row)
        => new() { Secret = ReadSecret(ref row), _windowStartMs = row.Int64(), _given = row.UInt32() };

    public static void WriteSecret(RowWriter row, SmpSecret? secret) => row.Bytes(secret is null ? default : secret.Utf8.Span);

    /// <returns>Null if there is none, or the row has failed.</returns>
    public static SmpSecret? ReadSecret(ref RowReader row)
    {
        var utf8 = row.Bytes();
        if (utf8.IsEmpty) return null;
        if (SmpSecret.IsSize(utf8.Length)) return new SmpSecret(utf8);
        row.Fail();
        return null;
    }
}
