namespace Relay.Bridges.Xmpp;

/// <summary>
/// Remembers which resource of a contact speaks for which OTR session, and so where text of that session goes. A conversation is keyed by
/// the bare address; a session by its instance tag (version 3), or it is the last that spoke (version 2). Bounded; thread-safe.
/// </summary>
internal sealed class SessionResources
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Endpoint, string Peer), LinkedListNode<Contact>> _contacts = [];
    private readonly LinkedList<Contact> _byUse = new();

    /// <summary>Records that a resource of a contact has sent a message.</summary>
    public void Heard(string endpoint, Jid from, OtrText otr)
    {
        if (from.IsBare) return;
        lock (_lock)
        {
            var contact = Use(endpoint, from.Bare);
            contact.Gone.Remove(from.Resource);
            contact.LastSpoke = from.Resource;
            if (otr.IsOfSession)
            {
                contact.LastOtr = from.Resource;
                if (otr.Sender != 0) contact.SetTag(otr.Sender, from.Resource);
            }
            // Somebody speaks: what was kept for a resource that is gone need not wait any longer.
            contact.ForgetGone();
            contact.Wake();
        }
    }

    /// <summary>Records that a resource is not there any more, by its presence or by an error from it.</summary>
    public void Left(string endpoint, Jid from)
    {
        if (from.IsBare) return;
        lock (_lock)
        {
            if (_contacts.TryGetValue((endpoint, from.Bare.ToString()), out var node) && node.Value.Knows(from.Resource))
                node.Value.AddGone(from.Resource);
        }
    }

    /// <summary>Records that a resource is there.</summary>
    public void Came(string endpoint, Jid from)
    {
        lock (_lock)
        {
            if (!_contacts.TryGetValue((endpoint, from.Bare.ToString()), out var node)) return;
            node.Value.IsSeen = true;
            if (node.Value.Gone.Remove(from.Resource)) node.Value.Wake();
        }
    }

    /// <summary>
    /// There is another connection: what presence said is out of date, and servers send a component nothing by themselves. Of contacts whose
    /// presence comes, the resources of sessions count as gone until it comes again.
    /// </summary>
    /// <returns>Whom to ask.</returns>
    public IReadOnlyList<(string Endpoint, string Peer)> Doubt()
    {
        lock (_lock)
        {
            var doubted = _byUse.Where(c => c.IsSeen).ToList();
            foreach (var contact in doubted) contact.DoubtAll();
            return [.. doubted.Select(c => c.Key)];
        }
    }

    /// <summary>True if an OTR error from this resource is none of a session that another resource holds.</summary>
    public bool IsErrorOfOther(string endpoint, Jid from)
    {
        lock (_lock)
        {
            return _contacts.TryGetValue((endpoint, from.Bare.ToString()), out var node) && node.Value.LastOtr is { } holder
                && holder != from.Resource && !node.Value.Tags.Exists(t => t.Resource == from.Resource);
        }
    }

    /// <summary>
    /// Where a wire text goes; waits a while for a resource that is gone, because a server would deliver to all others, which cannot read it.
    /// </summary>
    public async Task<Jid> RouteAsync(string endpoint, Jid peer, OtrText otr, TimeProvider time, CancellationToken cancellation)
    {
        var to = Route(endpoint, peer, otr, out var waitFor);
        if (waitFor is null) return to;
        await waitFor.WaitAsync(XmppLimits.HoldForResource, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellation.ThrowIfCancellationRequested();
        if (!waitFor.IsCompleted) GiveUp(endpoint, peer);
        return Route(endpoint, peer, otr, out _);
    }

    /// <summary>Where a wire text goes.</summary>
    /// <param name="waitFor">
    /// Not null if it is for a session whose resource is gone: completes when a resource of the contact speaks or that one is back.
    /// </param>
    public Jid Route(string endpoint, Jid peer, OtrText otr, out Task? waitFor)
    {
        waitFor = null;
        if (!peer.IsBare || otr.Kind is OtrTextKind.Plain or OtrTextKind.Tagged or OtrTextKind.Query) return peer;
        lock (_lock)
        {
            if (!_contacts.TryGetValue((endpoint, peer.ToString()), out var node)) return peer;
            var contact = node.Value;
            var resource = otr.Kind is OtrTextKind.Data
                ? (otr.Receiver != 0 ? contact.OfTag(otr.Receiver) : null) ?? contact.LastOtr ?? contact.LastSpoke
                : contact.LastSpoke;
            if (resource is null) return peer;
            if (!contact.Gone.Contains(resource)) return peer with { Resource = resource };
            waitFor = contact.WaitAsync();
            return peer;
        }
    }

    /// <summary>Gives up waiting for resources that are gone: text of their sessions goes to the bare address.</summary>
    public void GiveUp(string endpoint, Jid peer)
    {
        lock (_lock)
        {
            if (_contacts.TryGetValue((endpoint, peer.Bare.ToString()), out var node)) node.Value.ForgetGone();
        }
    }

    private Contact Use(string endpoint, Jid bare)
    {
        var key = (endpoint, bare.ToString());
        if (_contacts.TryGetValue(key, out var node)) _byUse.Remove(node);
        else node = _contacts[key] = new LinkedListNode<Contact>(new Contact(key));
        _byUse.AddLast(node);
        if (_contacts.Count > XmppLimits.MaxConversations && _byUse.First is { } oldest)
        {
            _byUse.RemoveFirst();
            _contacts.Remove(oldest.Value.Key);
            oldest.Value.Wake();
        }
        return node.Value;
    }

    private sealed class Contact((string, string) key)
    {
        private TaskCompletionSource? _waiting;

        public (string, string) Key => key;
        /// <summary>Its presence comes.</summary>
        public bool IsSeen { get; set; }
        public string? LastSpoke { get; set; }
        public string? LastOtr { get; set; }
        public HashSet<string> Gone { get; } = new(StringComparer.Ordinal);
        public List<(uint Tag, string Resource)> Tags { get; } = [];

        public bool Knows(string resource) => LastSpoke == resource || LastOtr == resource || Tags.Exists(t => t.Resource == resource);

        public string? OfTag(uint tag) => Tags.Find(t => t.Tag == tag).Resource;

        public void SetTag(uint tag, string resource)
        {
            Tags.RemoveAll(t => t.Tag == tag);
            Tags.Add((tag, resource));
            if (Tags.Count > XmppLimits.MaxResources) Tags.RemoveAt(0);
        }

        public void DoubtAll()
        {
            foreach (var resource in Tags.Select(t => t.Resource).Append(LastOtr).Append(LastSpoke))
            {
                if (resource is not null) AddGone(resource);
            }
        }

        public void AddGone(string resource)
        {
            if (Gone.Count < XmppLimits.MaxResources) Gone.Add(resource);
        }

        public void ForgetGone()
        {
            Tags.RemoveAll(t => Gone.Contains(t.Resource));
            if (LastOtr is { } otr && Gone.Contains(otr)) LastOtr = null;
            if (LastSpoke is { } spoke && Gone.Contains(spoke)) LastSpoke = null;
            Gone.Clear();
        }

        public Task WaitAsync() => (_waiting ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

        public void Wake()
        {
            _waiting?.TrySetResult();
            _waiting = null;
        }
    }
}
