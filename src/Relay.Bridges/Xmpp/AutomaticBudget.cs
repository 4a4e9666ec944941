namespace Relay.Bridges.Xmpp;

/// <summary>
/// Limits what the bridge answers by itself: at most so many stanzas for each peer and minute, then silence. Two robots that answer each
/// other would not stop otherwise. Thread-safe.
/// </summary>
internal sealed class AutomaticBudget(int perMinute, TimeProvider time)
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _spent = new(StringComparer.Ordinal);
    private long _begun = time.GetTimestamp();

    public bool TrySpend(string peer)
    {
        lock (_lock)
        {
            if (time.GetElapsedTime(_begun) >= s_minute)
            {
                _spent.Clear();
                _begun = time.GetTimestamp();
            }
            int spent = _spent.GetValueOrDefault(peer);
            if (spent >= perMinute || (spent == 0 && _spent.Count >= XmppLimits.MaxCountedPeers)) return false;
            _spent[peer] = spent + 1;
            return true;
        }
    }
}
