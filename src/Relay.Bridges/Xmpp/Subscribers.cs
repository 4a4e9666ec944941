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

    /// <summary>Forgets an endpoint that is gone.</summary>
    /// <returns>Its subscribers.</returns>
    public string[] RemoveAll(string endpoint)
    {
        lock (_lock)
        {
            string[] peers = [.. _all.Where(s => s.Endpoint == endpoint).Select(s => s.Peer)];
            foreach (var peer in peers) _all.Remove((endpoint, peer));
            return peers;
        }
    }

    public (string Endpoint, string Peer)[] All()
    {
        lock (_lock) return [.. _all];
    }
}
