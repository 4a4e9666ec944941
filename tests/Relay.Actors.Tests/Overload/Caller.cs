using System.Text;
using Otr.Core;
using Relay.Actors.Tests.Harness;
using Relay.Storage;

namespace Relay.Actors.Tests.Overload;

/// <summary>A peer of an endpoint with an engine of its own, and the bridge between: it brings what was turned away again, with the same id.</summary>
internal sealed class Caller(TestRelay relay, string peer, string endpoint = TestRelay.Endpoint, string ids = "m") : IDisposable
{
    private readonly OtrConversation _engine = new(new OtrAccount(TestKeys.Shared, 0x1000), new OtrSettings { Policy = OtrPolicy.Managed });
    private readonly Queue<(string Id, byte[] Text)> _outgoing = [];
    private int _messages;

    public string Peer => peer;

    public MessageState State => _engine.State;

    /// <summary>What reached it, encrypted.</summary>
    public List<string> Received { get; } = [];

    public List<RejectReason> Rejects { get; } = [];

    public bool HasMail => _outgoing.Count > 0;

    public ConversationAddress Address => new ConversationAddress.ByPeer(endpoint, peer);

    public void Step(OtrInput input)
    {
        var effects = new List<OtrEffect>();
        _engine.Step(input, new OtrEnvironment(relay.Time.GetUtcNow().ToUnixTimeMilliseconds(), SystemRandom.Instance), effects);
        foreach (var effect in effects)
        {
            if (effect is OtrEffect.SendWire send) _outgoing.Enqueue(($"{ids}{++_messages}", send.Text.ToArray()));
            if (effect is OtrEffect.DeliverText { Encrypted: true } text) Received.Add(Encoding.UTF8.GetString(text.Text.Span));
            if (effect is OtrEffect.Rejected rejected) Rejects.Add(rejected.Reason);
        }
    }

    public void Receive(ReadOnlyMemory<byte> wire) => Step(new OtrInput.WireReceived(wire));

    /// <summary>A D-H Commit, as if the endpoint had asked for a session.</summary>
    public void Commit() => Receive("?OTRv3?"u8.ToArray());

    public void Says(string text) => Step(new OtrInput.SendRequested(Encoding.UTF8.GetBytes(text)));

    /// <summary>Brings the first message; it stays the first if the relay wants it again.</summary>
    public async Task<Reply> BringAsync()
    {
        var (id, text) = _outgoing.Peek();
        var reply = await relay.AskAsync(new Command.ReceiveWire(id, text), Address);
        if (reply is not (Reply.Overloaded or Reply.Unavailable)) _outgoing.Dequeue();
        return reply;
    }

    public (string Id, byte[] Text) Take() => _outgoing.Dequeue();

    public void Dispose() => _engine.Dispose();
}

/// <summary>The bridge's stream of one endpoint, carried to those for whom it is.</summary>
internal sealed class Carrier(TestRelay relay, string endpoint = TestRelay.Endpoint)
{
    private readonly StreamKey _stream = new(endpoint, StreamKind.Wire);
    private ulong? _cursor;

    /// <returns>Whether there was anything.</returns>
    public async Task<bool> CarryAsync(IReadOnlyDictionary<string, Caller> callers)
    {
        var cursor = _cursor ?? (await relay.Relay.Outbox.PositionAsync(_stream, CancellationToken.None)).Acknowledged;
        var items = await relay.ReadAsync(_stream, cursor);
        foreach (var item in items)
        {
            Assert.Equal(++cursor, item.Sequence);
            callers[item.Peer].Receive(Assert.IsType<OutboxBody.WireText>(item.Body).Text);
        }
        if (items.Count > 0) await relay.Relay.Outbox.AcknowledgeAsync(_stream, cursor, CancellationToken.None);
        _cursor = cursor;
        return items.Count > 0;
    }
}
