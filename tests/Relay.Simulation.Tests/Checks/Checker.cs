using Relay.Actors;
using Relay.Simulation.Tests.Engine;
using Relay.Simulation.Tests.Store;
using Relay.Storage;

namespace Relay.Simulation.Tests.Checks;

/// <summary>Knows what was asked, said, stored and seen in a schedule, from outside of the code under test, and throws where an invariant does not hold.</summary>
internal sealed class Checker
{
    private readonly Dictionary<(int Peer, Direction Direction), (List<string> Sent, int Delivered)> _texts = [];
    private readonly Dictionary<(string Endpoint, string Id), ulong> _versions = [];
    private readonly Dictionary<int, long> _epochs = [];
    private readonly Dictionary<OutboxPlace, (string Id, ulong Version)> _places = [];
    private readonly Dictionary<string, ConversationReply> _answers = [];
    private readonly Dictionary<OutboxPlace, string> _items = [];
    private readonly Dictionary<(int Peer, string What), int> _keyExchanges = [];
    private readonly Dictionary<string, (MessageStatus Status, int Told)> _messages = [];
    private readonly HashSet<int> _undecided = [];
    private readonly SimStore _store;
    private readonly Schedule _schedule;
    private readonly IReadOnlyCollection<Invariant> _unwatched;

    /// <param name="unwatched">What is not looked at, so that a broken part is seen to break something else, too.</param>
    public Checker(SimStore store, Schedule schedule, IReadOnlyCollection<Invariant> unwatched)
    {
        (_store, _schedule, _unwatched, Counters) = (store, schedule, unwatched, new CounterCheck(schedule));
        foreach (var (endpoint, id) in store.Conversations) _versions[(endpoint, id)] = store.VersionOf(endpoint, id);
        store.Committed = Committed;
        store.Claimed = fence => _epochs[fence.Shard] = fence.Epoch;
    }

    public CounterCheck Counters { get; }

    /// <summary>Every answer that is remembered, by request.</summary>
    public IReadOnlyDictionary<string, ConversationReply> Answers => _answers;

    public void Sent(int peer, Direction direction, string text) => Texts(peer, direction).Sent.Add(text);

    public void Delivered(int peer, Direction direction, string text)
    {
        if (direction == Direction.ToContact && _undecided.Contains(peer)) Violated(Invariant.HeldKeys, $"{text} went to peer {peer}, whose key nobody has accepted.");
        var (sent, delivered) = Texts(peer, direction);
        if (delivered >= sent.Count || sent[delivered] != text)
            Violated(Invariant.ExactlyOnceInOrder, $"{direction} {peer}: {text} came, {(delivered < sent.Count ? sent[delivered] : "nothing")} was expected.");
        _texts[(peer, direction)] = (sent, delivered + 1);
    }

    /// <summary>The peer will show a key that is not the one that is known.</summary>
    public void WillShowAnotherKey(int peer) => _undecided.Add(peer);

    /// <summary>A person accepts the peer's key.</summary>
    public void Accepts(int peer) => _undecided.Remove(peer);

    public bool IsAllDelivered => _texts.Values.All(t => t.Delivered == t.Sent.Count);

    /// <summary>An item of a stream as a reader got it; its place follows the one before.</summary>
    public void Read(StreamKey stream, ulong after, OutboxItem item, string content)
    {
        if (item.Sequence != after + 1) Violated(Invariant.GapFreeStreams, $"{stream.Kind} {item.Sequence} came after {after}.");
        var place = new OutboxPlace(stream, item.Sequence);
        if (!_items.TryAdd(place, content) && _items[place] != content) Violated(Invariant.GapFreeStreams, $"{stream.Kind} {item.Sequence} was {_items[place]} and is {content}.");
        if (!_places.TryGetValue(place, out var made) || _store.VersionOf(stream.EndpointId, made.Id) < made.Version)
            Violated(Invariant.StateBeforeWire, $"{stream.Kind} {item.Sequence} is in the stream, its state is not stored.");
    }

    /// <summary>A request has been answered, for the first time or again.</summary>
    public void Answered(string request, ConversationReply reply)
    {
        if (reply is not ConversationReply.Done) Violated(Invariant.FirstAnswer, $"{request} got {reply}.");
        if (!_answers.TryAdd(request, reply) && _answers[request] != reply) Violated(Invariant.FirstAnswer, $"{request} got {_answers[request]} first, and then {reply}.");
    }

    /// <summary>The bot has looked at a message. What it sees of one message is in order: it looks one at a time.</summary>
    public void Saw(MessageView message)
    {
        if (!_messages.TryGetValue(message.Id, out var before)) before = (MessageStatus.Held, 0);
        bool isRight = message.Status == before.Status || before.Status switch
        {
            MessageStatus.Held => true,
            MessageStatus.Encrypted or MessageStatus.Clear => message.Status is MessageStatus.Carried or MessageStatus.Undeliverable,
            _ => false,
        };
        if (!isRight) Violated(Invariant.OneEnd, $"{message.Id} was {before.Status} and is {message.Status}.");
        _messages[message.Id] = (message.Status, before.Told);
    }

    /// <summary>The bot is told that a message is undeliverable.</summary>
    public void Told(MessageView message)
    {
        var (status, told) = _messages.GetValueOrDefault(message.Id, (MessageStatus.Held, 0));
        if (message.Status != MessageStatus.Undeliverable || told > 0) Violated(Invariant.OneEnd, $"The bot is told of {message.Id} again, or wrongly: {message.Status}.");
        _messages[message.Id] = (status, told + 1);
    }

    /// <summary>Everything is acknowledged: each message has come to its end, and the bot was told if it was not the usual one.</summary>
    public void CheckEnds()
    {
        foreach (var (id, (status, told)) in _messages)
        {
            if ((status, told) is not ((MessageStatus.Carried, 0) or (MessageStatus.Undeliverable, 1)))
                Violated(Invariant.OneEnd, $"{id} ends as {status}, and the bot was told {told} times.");
        }
    }

    /// <summary>A key exchange has completed, as one of the two sides tells.</summary>
    public void KeyExchanged(int peer, string side, int allowed)
    {
        int times = _keyExchanges[(peer, side)] = _keyExchanges.GetValueOrDefault((peer, side)) + 1;
        if (times > allowed) Violated(Invariant.OneSession, $"{side} {peer}: a session had to be set up again.");
    }

    /// <summary>Throws, if the invariant is watched.</summary>
    public void Violated(Invariant invariant, string what)
    {
        if (!_unwatched.Contains(invariant)) throw new ViolationException(invariant, what);
    }

    private void Committed(CommitUnit unit, IReadOnlyList<OutboxPlace> places)
    {
        // Equal bytes in two runs: equal keys, counters and nonces, too.
        _schedule.Mix(unit.Sealed);
        var key = (unit.EndpointId, unit.ConversationId);
        ulong version = _versions.GetValueOrDefault(key);
        if (unit.ExpectedVersion != version) Violated(Invariant.OneOwner, $"A commit onto version {unit.ExpectedVersion} was done, {version} is stored.");
        if (unit.Fence is { } fence && _epochs.GetValueOrDefault(fence.Shard, fence.Epoch) != fence.Epoch)
            Violated(Invariant.OneOwner, $"A commit under epoch {fence.Epoch} of shard {fence.Shard} was done, {_epochs[fence.Shard]} is its owner's.");
        _versions[key] = version + 1;
        foreach (var place in places) _places[place] = (unit.ConversationId, version + 1);
    }

    private (List<string> Sent, int Delivered) Texts(int peer, Direction direction)
    {
        if (!_texts.TryGetValue((peer, direction), out var texts)) _texts.Add((peer, direction), texts = ([], 0));
        return texts;
    }
}

/// <summary>Which way a text goes.</summary>
internal enum Direction
{
    ToContact,
    ToBot,
}
