namespace Relay.Bridges.Xmpp;

/// <summary>
/// Who receives the presence of endpoints, as far as this process has seen. Servers send a component nothing after a reconnect, so presence
/// has to be announced to them again. Bounded; thread-safe.
/// </summary>
internal sealed class Subscribers
{
    private readonly Lock _lock = new();
    private readonly HashSet<(string Endpoint, string Peer)> _all = [];

    public void Add(string endpoint, string peer)
    {
        lock (_lock)
        {
            if (_all.Count < XmppLimits.MaxConversations) _all.Add((endpoint, peer));
        }
    }

    public void Remove(string endpoint, string peer)
    {
        lock (_lock) _all.Remove((endpoint, peer));
    }

    public (string Endpoint, string Peer)[] All()
    {
        lock (_lock) return [.. _all];
    }
}
