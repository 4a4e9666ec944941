using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>How many notices a peer may cause in a window: a stranger must not be able to fill the bot's stream with them.</summary>
internal sealed class NoticeBudget
{
    private long _windowStartMs;
    private uint _spent;

    public bool TrySpend(long nowMs)
    {
        // A clock that went back opens a window too, or a jump could silence a conversation for years.
        if (nowMs - _windowStartMs >= RelayLimits.NoticeWindow.TotalMilliseconds || nowMs < _windowStartMs)
        {
            _windowStartMs = nowMs;
            _spent = 0;
        }
        if (_spent >= RelayLimits.MaxNoticesPerWindow) return false;
        _spent++;
        return true;
    }

    public void Write(RowWriter row)
    {
        row.Int64(_windowStartMs);
        row.UInt32(_spent);
    }

    public static NoticeBudget Read(ref RowReader row) => new() { _windowStartMs = row.Int64(), _spent = row.UInt32() };
}
