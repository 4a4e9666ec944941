namespace Relay.Bridges.Irc;

/// <summary>Why a wire text cannot go to its peer now.</summary>
internal enum PeerObstacle
{
    None,
    /// <summary>The peer has left, or was never there under this id; or its nick belongs to somebody else by now.</summary>
    Gone,
    /// <summary>The nick is back, but nothing shows yet that it is the same peer.</summary>
    Unproven,
}

/// <summary>
/// Who the peers are: Relay knows a peer by an id that stays when its nick changes, and a nick that passes to somebody else gets another
/// id. It holds for one connection, because afterwards nobody has seen who took which nick. Not safe for concurrent use.
/// </summary>
internal sealed class PeerTracking(CaseMapping mapping, bool byAccount)
{
    private const string AccountPrefix = "account:";
    private readonly Dictionary<string, Peer> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Peer> _byNick = new(mapping);
    // Strangers in the order of their last message: the oldest is forgotten first.
    private readonly LinkedList<Peer> _strangers = [];

    public int Count => _byId.Count;

    /// <summary>The id of who speaks; null if no more peers can be followed.</summary>
    /// <param name="account">The services account of the sender; null if none is known.</param>
    public string? Spoke(string nick, string? account, bool isOtr)
    {
        var id = byAccount && account is not null ? AccountPrefix + account : null;
        if (_byNick.TryGetValue(nick, out var peer) && id is not null && peer.Id != id)
        {
            // Somebody else is logged in under this nick now, or the same person only just.
            Unbind(peer);
            peer = null;
        }
        if (peer is not null && byAccount && id is null && peer.Id.StartsWith(AccountPrefix, StringComparison.Ordinal))
        {
            Unbind(peer);
            peer = null;
        }
        if (peer is null)
        {
            id ??= FreeId(nick);
            if (!_byId.TryGetValue(id, out peer))
            {
                if (!MakeRoom()) return null;
                peer = new Peer(id);
                _byId.Add(id, peer);
                peer.Node = _strangers.AddLast(peer);
            }
            Bind(peer, nick);
        }
        peer.Nick = nick;
        peer.IsSilent = false;
        peer.IsUnproven &= !isOtr;
        if (peer.Node is { } node)
        {
            _strangers.Remove(node);
            _strangers.AddLast(node);
        }
        return peer.Id;
    }

    /// <summary>
    /// The nick that a text for this peer goes to now. A peer that was written to is known, and is not forgotten for strangers.
    /// </summary>
    public PeerObstacle Target(string id, WireKind kind, out string nick)
    {
        nick = "";
        var written = id;
        id = Canonical(id);
        if (!_byId.TryGetValue(id, out var peer))
        {
            // Not seen in this connection: the id is a nick, unless somebody else has it.
            if (!IsNick(id) || _byNick.ContainsKey(id) || !MakeRoom()) return PeerObstacle.Gone;
            peer = new Peer(id);
            _byId.Add(id, peer);
            Bind(peer, written);
        }
        // A message is refused as a whole.
        if (kind == WireKind.NextFragment && peer.LastObstacle != PeerObstacle.None) return peer.LastObstacle;
        peer.LastObstacle = Obstacle(peer, kind);
        if (peer.LastObstacle != PeerObstacle.None) return peer.LastObstacle;
        if (peer.Node is { } node)
        {
            _strangers.Remove(node);
            peer.Node = null;
        }
        nick = peer.Nick!;
        return PeerObstacle.None;
    }

    /// <summary>The present nick of a peer; null if it is gone.</summary>
    public string? NickOf(string id) => _byId.TryGetValue(Canonical(id), out var peer) ? peer.Nick : null;

    /// <summary>A user takes another nick: its conversation goes with it, and is not merged with one that the new nick had.</summary>
    public void Renamed(string from, string to)
    {
        if (mapping.Equals(from, to))
        {
            if (_byNick.TryGetValue(from, out var same)) same.Nick = to;
            return;
        }
        _byNick.TryGetValue(from, out var peer);
        if (_byNick.TryGetValue(to, out var before)) Unbind(before);
        if (peer is null) return;
        _byNick.Remove(from);
        Bind(peer, to);
    }

    /// <summary>A nick is gone: QUIT was seen, or the server does not know it. What was private waits for proof.</summary>
    public void Gone(string nick)
    {
        if (_byNick.TryGetValue(nick, out var peer)) Unbind(peer);
    }

    /// <summary>A bot may write a nick as it likes; ids are folded.</summary>
    private string Canonical(string id) => IsNick(id) ? mapping.Fold(id) : id;

    private PeerObstacle Obstacle(Peer peer, WireKind kind)
    {
        // Whoever has the nick of a peer that left may be somebody else: only an offer or a key exchange, which show who it is, go there.
        if (peer.Nick is null)
        {
            if (kind is not (WireKind.Request or WireKind.KeyExchange) || !IsNick(peer.Id) || _byNick.ContainsKey(peer.Id))
                return PeerObstacle.Gone;
            Bind(peer, peer.Id);
        }
        if (peer.IsUnproven && kind is (WireKind.Data or WireKind.Control)) return PeerObstacle.Unproven;
        return peer.IsSilent && kind == WireKind.Clear ? PeerObstacle.Unproven : PeerObstacle.None;
    }

    private static bool IsNick(string id) =>
        id.Length > 0 && id[0] != ':' && !id.StartsWith(AccountPrefix, StringComparison.Ordinal)
        && id.AsSpan().IndexOfAny(" ,*?!@/#&\r\n\0$") < 0;

    /// <summary>The folded nick; with a number if that id belongs to a peer that goes by another nick now.</summary>
    private string FreeId(string nick)
    {
        var id = mapping.Fold(nick);
        if (!_byId.TryGetValue(id, out var peer) || peer.Nick is null) return id;
        for (var n = 2; ; n++)
        {
            var other = $"{id}/{n}";
            if (!_byId.TryGetValue(other, out peer) || peer.Nick is null) return other;
        }
    }

    private void Bind(Peer peer, string nick)
    {
        if (peer.Nick is { } old) _byNick.Remove(old);
        peer.Nick = nick;
        _byNick[nick] = peer;
    }

    private void Unbind(Peer peer)
    {
        if (peer.Nick is not { } nick) return;
        _byNick.Remove(nick);
        peer.Nick = null;
        (peer.IsUnproven, peer.IsSilent) = (true, true);
    }

    private bool MakeRoom()
    {
        if (_byId.Count < IrcLimits.Peers) return true;
        if (_strangers.First is not { } oldest) return false;
        _strangers.RemoveFirst();
        _byId.Remove(oldest.Value.Id);
        if (oldest.Value.Nick is { } nick) _byNick.Remove(nick);
        return true;
    }

    private sealed class Peer(string id)
    {
        public string Id => id;
        /// <summary>Its present nick as it was last written; null while it is gone.</summary>
        public string? Nick { get; set; }
        /// <summary>It was gone since it last used OTR.</summary>
        public bool IsUnproven { get; set; }
        /// <summary>It was gone since it last said anything.</summary>
        public bool IsSilent { get; set; }
        /// <summary>What became of the last first fragment or whole message to it.</summary>
        public PeerObstacle LastObstacle { get; set; }
        /// <summary>Its place among the strangers; null once something was sent to it.</summary>
        public LinkedListNode<Peer>? Node { get; set; }
    }
}
