namespace Relay.Bridges.Xmpp;

/// <summary>
/// The message stanzas that were sent lately, by their ids: an error or a receipt is about one of them. Only the address that a stanza went
/// to may say so. Thread-safe.
/// </summary>
internal sealed class SentStanzas
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Stanza> _sent = new(StringComparer.Ordinal);
    private readonly Queue<string> _receiptsInOrder = new();

    private sealed class Stanza(string endpoint, Jid to, bool isClear, string? message)
    {
        public string Endpoint => endpoint;
        public string To { get; } = to.Bare.ToString();
        public string Domain => to.Domain;
        /// <summary>Text without OTR.</summary>
        public bool IsClear => isClear;
        /// <summary>The bot's message; null if no receipt was asked for.</summary>
        public string? Message => message;
        public string? Failure { get; set; }
        public bool IsConfirmed { get; set; }
    }

    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="message">The bot's message that a receipt was asked for with; null: none was.</param>
    public void Add(string id, string endpoint, Jid to, bool isClear, string? message)
    {
        lock (_lock) _sent[id] = new Stanza(endpoint, to, isClear, message);
    }

    /// <summary>
    /// A server has said that it requires OTR: it has swallowed what an endpoint wrote there in the clear and is not confirmed yet.
    /// </summary>
    public void RefuseClear(string endpoint, string domain)
    {
        lock (_lock)
        {
            foreach (var stanza in _sent.Values.Where(s => s.IsClear && !s.IsConfirmed && s.Endpoint == endpoint && s.Domain == domain))
                stanza.Failure = Failures.NotAllowed;
        }
    }

    /// <summary>A stanza came back as an error.</summary>
    /// <returns>False if it is none of these.</returns>
    public bool Bounce(string id, string endpoint, Jid from, string condition)
    {
        lock (_lock)
        {
            if (Find(id, endpoint, from) is not { } stanza) return false;
            stanza.Failure = FailureOf(condition);
            return true;
        }
    }

    /// <summary>
    /// The server has everything before a moment: what it refused itself, or its local users' sessions did, has come back by then. Receipts
    /// may come later.
    /// </summary>
    /// <returns>Why the stanza was refused; null if it was not.</returns>
    public string? Confirm(string id)
    {
        lock (_lock)
        {
            if (!_sent.TryGetValue(id, out var stanza)) return null;
            if (stanza.Message is null || stanza.Failure is not null)
            {
                _sent.Remove(id);
                return stanza.Failure;
            }
            stanza.IsConfirmed = true;
            _receiptsInOrder.Enqueue(id);
            while (_receiptsInOrder.Count > XmppLimits.MaxOpenReceipts) _sent.Remove(_receiptsInOrder.Dequeue());
            return null;
        }
    }

    /// <summary>The connection ended: the stanza is sent again, under another id.</summary>
    public void Forget(string id)
    {
        lock (_lock) _sent.Remove(id);
    }

    /// <summary>The peer's program has received a stanza.</summary>
    /// <returns>The bot's message; null if there is none.</returns>
    public string? Receive(string id, string endpoint, Jid from)
    {
        lock (_lock)
        {
            if (Find(id, endpoint, from) is not { Message: { } message } stanza) return null;
            if (stanza.IsConfirmed) _sent.Remove(id);
            return message;
        }
    }

    private Stanza? Find(string id, string endpoint, Jid from)
        => _sent.TryGetValue(id, out var stanza) && stanza.Endpoint == endpoint && stanza.To == from.Bare.ToString() ? stanza : null;

    /// <summary>The conditions of RFC 6120, section 8.3.3, and XEP-0191.</summary>
    internal static string FailureOf(string condition) => condition switch
    {
        "item-not-found" or "gone" or "jid-malformed" => Failures.NoSuchPeer,
        "service-unavailable" or "recipient-unavailable" => Failures.PeerUnavailable,
        "not-acceptable" => Failures.Blocked,
        "forbidden" or "not-allowed" or "not-authorized" or "registration-required" or "subscription-required" or "policy-violation"
            => Failures.NotAllowed,
        "remote-server-not-found" or "remote-server-timeout" => Failures.NoRoute,
        _ => Failures.Refused,
    };
}
