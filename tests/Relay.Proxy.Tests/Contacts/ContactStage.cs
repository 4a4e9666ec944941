using System.Text;
using Otr.Core;
using Relay.Proxy.Contacts;
using Relay.Proxy.Storage;

namespace Relay.Proxy.Tests.Contacts;

/// <summary>The private conversations of alice, one connection of hers, and bob with an engine of his own; the test carries the wire text.</summary>
internal sealed class ContactStage : IDisposable
{
    public const string Bob = "bob@example.org";
    private static readonly DsaPrivateKey s_bobsKey = DsaPrivateKey.Generate(SystemRandom.Instance);
    private readonly List<OtrEffect> _heard = [];

    public ContactStage(string? directory = null, params string[] isPrivate)
    {
        Directory = directory ?? System.IO.Directory.CreateTempSubdirectory("relay-contacts-").FullName;
        var options = new ProxyAccountOptions
        {
            Account = "alice@example.org", Protocol = "prpl-jabber", Directory = Directory, PrivateContacts = isPrivate, Time = Clock,
        };
        Contacts = new PrivateContacts(options, new ContactBook(options, AccountDirectory.Open(options))) { Address = t => t.Contains('@') ? t : null };
        Contacts.Attach(View);
        Contacts.Book.MarkKnown(Bob);
        Peer = NewPeer(s_bobsKey);
    }

    public string Directory { get; }

    public SetClock Clock { get; } = new();

    public PrivateContacts Contacts { get; }

    public ListView View { get; } = new();

    public OtrConversation Peer { get; set; }

    public static OtrConversation NewPeer(DsaPrivateKey key) => new(
        new OtrAccount(key, 0x1234), new OtrSettings { Policy = OtrPolicy.Manual, OwnAddress = Bob, PeerAddress = "alice@example.org" });

    /// <summary>What bob has read, with E for encrypted and C for clear.</summary>
    public IEnumerable<string> Read => _heard.OfType<OtrEffect.DeliverText>().Select(t => (t.Encrypted ? "E " : "C ") + Encoding.UTF8.GetString(t.Text.Span));

    public void Say(string text, string id = "1") => Contacts.Send(View, Bob, text, id);

    public void Command(string text) => Contacts.Command(View, null, text);

    /// <summary>Carries wire text both ways until there is no more.</summary>
    public void Exchange()
    {
        while (View.Wires.TryDequeue(out var wire))
        {
            wire.Written?.Invoke();
            Step(new OtrInput.WireReceived(Encoding.UTF8.GetBytes(wire.Text)));
        }
    }

    /// <summary>A step of bob's engine; its answers arrive at once.</summary>
    public void Step(OtrInput input)
    {
        var effects = new List<OtrEffect>();
        Peer.Step(input, new OtrEnvironment(Clock.GetUtcNow().ToUnixTimeMilliseconds(), SystemRandom.Instance), effects);
        _heard.AddRange(effects);
        foreach (var wire in effects.OfType<OtrEffect.SendWire>())
        {
            if (Contacts.Receive(View, Bob, Encoding.UTF8.GetString(wire.Text.Span), null) == Received.PassOn)
                View.Delivered.Add(Encoding.UTF8.GetString(wire.Text.Span));
        }
        Exchange();
    }

    public void PeerSays(string text) => Step(new OtrInput.SendRequested(Encoding.UTF8.GetBytes(text)));

    /// <summary>Begins a private conversation.</summary>
    public void Start()
    {
        Command("start " + Bob);
        Exchange();
        Assert.Equal(MessageState.Encrypted, Peer.State);
    }

    public void Dispose() => Contacts.Dispose();

    /// <summary>A clock that the test sets.</summary>
    internal sealed class SetClock : TimeProvider
    {
        private DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => _now;

        public void Advance(TimeSpan time) => _now += time;
    }

    /// <summary>A connection of the client that keeps what it is given.</summary>
    internal sealed class ListView : IChatView
    {
        public List<string> Notices { get; } = [];

        public List<string> Delivered { get; } = [];

        public List<string> Refused { get; } = [];

        public Queue<(string Text, Action? Written)> Wires { get; } = new();

        public bool IsClosed { get; private set; }

        public void Notice(string text) => Notices.Add(text);

        public void Deliver(string peer, MarkedText text, object? origin) => Delivered.Add(text.AsMessage());

        public void SendWire(string peer, string wire, string? id, Action? written) => Wires.Enqueue((wire, written));

        public void Refuse(string peer, string id, string reason) => Refused.Add(id);

        public void Close() => IsClosed = true;

        public void IsTold(string part) => Assert.Contains(Notices, n => n.Contains(part, StringComparison.Ordinal));
    }
}
