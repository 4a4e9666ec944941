using System.Text;
using Otr.Core;
using Relay.Storage;

namespace Relay.Actors.Tests.Harness;

/// <summary>The relay has died, and whoever spoke to it has noticed.</summary>
internal sealed class RelayDiedException(Exception? inner = null) : Exception("The relay has died.", inner);

/// <summary>
/// What is outside the relay and survives it: the contact with an OTR state of its own, the bridge with its cursor, the bot
/// with its cursor. They do what the API asks of them: retry with the same ids, acknowledge what they have dealt with.
/// </summary>
internal sealed class World : IDisposable
{
    private readonly OtrConversation _contact;
    private readonly Queue<(string Id, byte[] Text)> _toRelay = [];
    private readonly List<OtrEffect> _effects = [];
    private ulong _wireCursor, _wireAcknowledged, _eventCursor, _eventAcknowledged;
    private int _messages;

    private readonly TimeProvider _time;
    private ulong _asked;

    private readonly string _name;

    /// <param name="name">Begins the ids of the bridge's messages: contacts that follow each other need different ones.</param>
    /// <param name="tag">The instance tag of the contact's client.</param>
    public World(TimeProvider? time = null, DsaPrivateKey? key = null, string name = "m", uint tag = 0x1000,
        OtrPolicy policy = OtrPolicy.Managed, int wireLimit = 0)
    {
        _name = name;
        _time = time ?? TimeProvider.System;
        _contact = new OtrConversation(new OtrAccount(key ?? TestKeys.Shared, tag), new OtrSettings { Policy = policy, MaxWireBytes = wireLimit });
    }

    public MessageState ContactState => _contact.State;

    /// <summary>The key that the relay showed last.</summary>
    public Fingerprint? LatestKeyOfRelay => _contact.Peer.Latest;

    /// <summary>What the contact read, encrypted.</summary>
    public List<string> ContactReceived { get; } = [];

    /// <summary>What the contact's engine refused.</summary>
    public List<RejectReason> ContactRejected { get; } = [];

    /// <summary>What the contact's program shows of SMP.</summary>
    public List<SmpOutcome> ContactSmp { get; } = [];

    /// <summary>The question that the contact was asked last; null for none.</summary>
    public string? ContactQuestion { get; private set; }

    /// <summary>What the bot read.</summary>
    public List<OutboxBody> BotEvents { get; } = [];

    public IEnumerable<string> BotReceived => BotEvents.OfType<OutboxBody.TextReceived>().Where(t => t.Encrypted).Select(t => Encoding.UTF8.GetString(t.Utf8.Span));

    public int KeyExchanges => BotEvents.OfType<OutboxBody.SessionChanged>().Count(s => s.Cause == SessionCause.KeyExchange);

    /// <summary>Every message id that the bridge has used, with its text and answer.</summary>
    public Dictionary<string, (byte[] Text, ConversationReply ConversationReply)> Bridged { get; } = [];

    public List<byte[]> WireFromRelay { get; } = [];

    public void Contact(OtrInput input)
    {
        _effects.Clear();
        _contact.Step(input, new OtrEnvironment(_time.GetUtcNow().ToUnixTimeMilliseconds(), SystemRandom.Instance), _effects);
        foreach (var effect in _effects)
        {
            switch (effect)
            {
                case OtrEffect.SendWire send: _toRelay.Enqueue(($"{_name}{++_messages}", send.Text.ToArray())); break;
                case OtrEffect.DeliverText { Encrypted: true } text: ContactReceived.Add(Encoding.UTF8.GetString(text.Text.Span)); break;
                case OtrEffect.SmpChanged smp: ContactSmp.Add(smp.Outcome); break;
                case OtrEffect.SmpAnswerNeeded asked:
                    (_asked, ContactQuestion) = (asked.Token, asked.Question is { } q ? Encoding.UTF8.GetString(q.Span) : null);
                    break;
                case OtrEffect.Rejected rejected: ContactRejected.Add(rejected.Reason); break;
            }
        }
    }

    public void ContactSays(string text) => Contact(new OtrInput.SendRequested(Encoding.UTF8.GetBytes(text)));

    /// <summary>Bridge and bot begin where the relay's streams are, not at their beginning.</summary>
    public async Task JoinAsync(TestRelay relay)
    {
        (_wireCursor, _) = await relay.Relay.Outbox.PositionAsync(TestRelay.Wire, default);
        (_eventCursor, _) = await relay.Relay.Outbox.PositionAsync(TestRelay.Events, default);
        (_wireAcknowledged, _eventAcknowledged) = (_wireCursor, _eventCursor);
    }

    public void ContactAnswers(string secret) => Contact(new OtrInput.SmpAnswerRequested(_asked, Encoding.UTF8.GetBytes(secret)));

    public void ContactVerifies(string secret, string? question) => Contact(new OtrInput.SmpStartRequested(
        Encoding.UTF8.GetBytes(secret), question is null ? null : (ReadOnlyMemory<byte>?)Encoding.UTF8.GetBytes(question)));

    /// <summary>Takes away what the bridge would carry to the relay next.</summary>
    public byte[] TakeOutgoing() => _toRelay.Dequeue().Text;

    /// <summary>Carries everything both ways until nothing is left to carry.</summary>
    /// <exception cref="RelayDiedException"/>
    public async Task PumpAsync(TestRelay relay)
    {
        try
        {
            bool moved;
            do
            {
                moved = await FromRelayAsync(relay) | await ToRelayAsync(relay);
            }
            while (moved);
            await EventsAsync(relay);
        }
        catch (StoreException e)
        {
            throw new RelayDiedException(e);
        }
    }

    public static ConversationReply Answered(ConversationReply reply) => reply is ConversationReply.Unavailable ? throw new RelayDiedException() : reply;

    private async Task<bool> FromRelayAsync(TestRelay relay)
    {
        var items = await relay.ReadAsync(TestRelay.Wire, _wireCursor);
        foreach (var item in items)
        {
            AssertFollows(_wireCursor, item.Sequence);
            Assert.Equal(TestRelay.Peer, item.Peer);
            _wireCursor = item.Sequence;
            var text = Assert.IsType<OutboxBody.WireText>(item.Body).Text;
            WireFromRelay.Add(text.ToArray());
            Contact(new OtrInput.WireReceived(text));
        }
        if (_wireAcknowledged < _wireCursor) await relay.Relay.Outbox.AcknowledgeAsync(TestRelay.Wire, _wireCursor, CancellationToken.None);
        _wireAcknowledged = _wireCursor;
        return items.Count > 0;
    }

    private async Task<bool> ToRelayAsync(TestRelay relay)
    {
        bool moved = false;
        while (_toRelay.TryPeek(out var message))
        {
            var reply = Answered(await relay.ReceiveAsync(message.Id, message.Text));
            Bridged[message.Id] = (message.Text, reply);
            _toRelay.Dequeue();
            moved = true;
        }
        return moved;
    }

    private async Task EventsAsync(TestRelay relay)
    {
        var items = await relay.ReadAsync(TestRelay.Events, _eventCursor);
        foreach (var item in items)
        {
            AssertFollows(_eventCursor, item.Sequence);
            _eventCursor = item.Sequence;
            BotEvents.Add(item.Body);
        }
        if (_eventAcknowledged < _eventCursor) await relay.Relay.Outbox.AcknowledgeAsync(TestRelay.Events, _eventCursor, CancellationToken.None);
        _eventAcknowledged = _eventCursor;
    }

    /// <summary>The relay was restored from a backup: its streams go on with a gap, once for each cursor.</summary>
    public bool RelayWasRestored { get; set; }

    private void AssertFollows(ulong cursor, ulong sequence)
    {
        if (RelayWasRestored && cursor < RelayLimits.RestoredGap) Assert.True(sequence > RelayLimits.RestoredGap);
        else Assert.Equal(cursor + 1, sequence);
    }

    public void Dispose() => _contact.Dispose();
}
