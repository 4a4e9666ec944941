using System.Text;
using Otr.Core;
using Relay.Actors;
using Relay.Simulation.Tests.Checks;
using Relay.Simulation.Tests.Engine;
using Relay.Simulation.Tests.Network;
using Relay.Simulation.Tests.Nodes;
using Relay.Simulation.Tests.Outside;
using Relay.Simulation.Tests.Store;
using Relay.Storage;

namespace Relay.Simulation.Tests;

/// <summary>
/// One schedule: nodes with real conversations over a model of store and network, and those outside, who send, carry and read.
/// First things go wrong, then no more, and everything has to come to its end.
/// </summary>
internal sealed class World : IDisposable
{
    private const int MaxFaultySteps = 4_000;
    private const int MaxStepsToTheEnd = 15_000;

    private readonly Profile _profile;
    private readonly SimProcess _outside = new("outside");
    private readonly SimStore _store;
    private readonly Cluster _cluster;
    private readonly Checker _checker;
    private readonly Clients _clients;
    private readonly NodeSet _nodes;
    private readonly Faults _faults;
    private readonly Contact[] _contacts;
    private readonly CommandSender[] _bots, _bridges;
    private readonly OutboxReader _events, _wire;
    private readonly Settlements _settlements;
    private readonly ulong[] _lastCarried = new ulong[Profile.Peers];
    private readonly int[] _queries = new int[Profile.Peers];
    private int _toSay;

    /// <param name="profile">What to make of the profile that the seed gives.</param>
    public World(ulong seed, Func<Profile, SimRandom, Profile>? profile = null, Mutations mutations = default, IReadOnlyCollection<Invariant>? unwatched = null, bool keepsLog = false)
    {
        Schedule = new Schedule(seed, keepsLog);
        _profile = Profile.Draw(Schedule.Random);
        if (profile is not null) _profile = profile(_profile, Schedule.Random);
        var beginning = _profile.HoldsKeys ? Beginning.WithHoldingEndpoint : _profile.BeginsWithKeyExchange ? Beginning.WithEndpoint : Beginning.WithSessions;
        Schedule.StartAt(beginning.NowMs);
        _store = beginning.Store.Copy(mutations.Store, _profile.MaxStreamItems);
        _checker = new Checker(_store, Schedule, unwatched ?? []);
        _cluster = new Cluster(Schedule, _store, new SimProcess("database"), new StoreFaults(), new SimNetwork(Schedule) { LongestCopyMs = 3 * _profile.ExpiryMs }, mutations.Node);
        _nodes = new NodeSet(_cluster, _outside, _profile);
        _cluster.Ownership = new Ownership(_cluster, new SimProcess("coordinator"), () => _nodes.All);
        _faults = new Faults(_cluster, _outside, _nodes, _profile);
        _clients = new Clients(Schedule, _outside, () => _nodes.All);
        _bots = [.. Enumerable.Range(0, Profile.Peers).Select(p => new CommandSender(_clients, _checker, Address(p), $"bot asks for peer {p}", _profile.Habits))];
        _bridges = [.. Enumerable.Range(0, Profile.Peers).Select(p => new CommandSender(_clients, _checker, Address(p), $"bridge brings from peer {p}", _profile.Habits))];
        _contacts = [.. Enumerable.Range(0, Profile.Peers).Select(p => new Contact(Schedule, _outside, _checker, _bridges[p], p, beginning.Contacts.ElementAtOrDefault(p)))];
        _events = new OutboxReader(_clients, _checker, new StreamKey(Beginning.Endpoint, StreamKind.Events), _profile.Habits, Hear);
        _wire = new OutboxReader(_clients, _checker, new StreamKey(Beginning.Endpoint, StreamKind.Wire), _profile.Habits, Carry);
        _settlements = new Settlements(_clients, _checker, Address);
        for (int peer = 0; peer < Profile.Peers; peer++) (_bots[peer].Other, _bridges[peer].Other) = (_bridges[peer], _bots[peer]);
    }

    public Schedule Schedule { get; }

    public Profile Profile => _profile;

    /// <summary>
    /// A key exchange took so long that the engine asked for it again, which may set a session up twice or take it from
    /// under a message: no invariant of the cluster. Such a schedule ends there.
    /// </summary>
    public bool IsExcused { get; private set; }

    public void Run()
    {
        _nodes.Start();
        _cluster.Ownership.Start();
        _events.Start(_store.Position(_events.Stream).Acknowledged);
        _wire.Start(_store.Position(_wire.Stream).Acknowledged);
        for (int peer = 0; peer < Profile.Peers; peer++)
        {
            if (_profile.HoldsKeys) TellOfAnotherKey(peer);
            for (int i = 0; i < _profile.Messages; i++) Talk(peer, $"{i}", Schedule.Random.Next(_profile.SpanMs), Schedule.Random.Next(_profile.SpanMs));
        }
        for (int i = 0; i < MaxFaultySteps && !IsAllSaid; i++)
        {
            _faults.MayBegin();
            Schedule.Step();
            if (IsExcused) return;
        }
        _faults.End();
        RunUntil(() => IsAllSaid && IsAllQuiet, "everything is delivered and nothing is in flight");
        if (IsExcused) return;
        if (_nodes.All.Any(n => n.Resident > _profile.MaxResident)) _checker.Violated(Invariant.Bounds, "More conversations are in memory than the bound allows.");
        _nodes.Drain();
        RunUntil(() => _nodes.AreAllGone, "every node has drained");
        // What is stored is all that there is now; a node that knows nothing else goes on with it.
        _nodes.StartOne();
        for (int peer = 0; peer < Profile.Peers; peer++) Talk(peer, "last", 0, 0);
        RunUntil(() => IsAllSaid && IsAllQuiet, "everything is delivered after a new start");
        for (int peer = 0; peer < Profile.Peers; peer++) _settlements.Look(peer);
        RunUntil(() => _settlements.IsIdle, "the bot has looked at its messages");
        if (IsExcused) return;
        _checker.CheckEnds();
        for (int peer = 0; peer < Profile.Peers; peer++) StoredCheck.Check(_store, _checker, Beginning.Endpoint, Cluster.ConversationId(Beginning.Endpoint, Peer(peer)), [.. _bots[peer].Answered, .. _bridges[peer].Answered], _profile);
    }

    /// <summary>What a later schedule may begin with.</summary>
    public Beginning Ending() => new(_store, [.. _contacts.Select(c => c.Snapshot())], Schedule.NowMs);

    private bool IsAllSaid => _toSay == 0 && _bots.All(b => b.IsIdle) && _bridges.All(b => b.IsIdle) && _settlements.IsIdle && _checker.IsAllDelivered;

    private bool IsAllQuiet => _cluster.Network.UnderWay == 0 && _nodes.All.All(n => n.InFlight == 0) && _nodes.IsComplete
        && _cluster.Ownership.IsSettled && IsDone(_events) && IsDone(_wire);

    private bool IsDone(OutboxReader reader)
        => _store.Position(reader.Stream) is var (acknowledged, last) && acknowledged == last && reader.Acknowledged == last;

    private void RunUntil(Func<bool> isDone, string what)
    {
        for (int i = 0; !isDone(); i++)
        {
            if (i > MaxStepsToTheEnd) throw new ViolationException(IsAllSaid ? Invariant.NothingInFlight : Invariant.Liveness, $"Not reached: {what}.");
            if (IsExcused) return;
            if (!Schedule.Step()) throw new ViolationException(Invariant.Liveness, $"Nothing happens any more, not reached: {what}.");
        }
    }

    private void Talk(int peer, string text, long botAfterMs, long contactAfterMs)
    {
        _toSay += 2;
        Schedule.Post(_outside, "bot speaks to peer", peer, () =>
        {
            _toSay--;
            _checker.Sent(peer, Direction.ToContact, $"bot {text}");
            _bots[peer].Send(new Command.SendText($"{(_profile.BeginsWithKeyExchange ? "r" : "s")}{peer}-{text}", Encoding.UTF8.GetBytes($"bot {text}")));
        }, botAfterMs);
        Schedule.Post(_outside, "contact speaks", peer, () => Say(peer, $"contact {text}"), contactAfterMs);
    }

    /// <summary>The endpoint knows a key of the peer from elsewhere, which is not the one that the contact has.</summary>
    private void TellOfAnotherKey(int peer)
    {
        _checker.WillShowAnotherKey(peer);
        var known = new IdentityView(TestKeys.Of(1 + Profile.Peers).PublicKey.Fingerprint, TrustLevel.Untrusted, "", null, null, null);
        _bots[peer].Send(new Command.ImportKeys($"i{peer}", [known], known.Fingerprint, 3));
    }

    /// <summary>A person takes a while to decide about a key.</summary>
    private void Decide(int peer, Fingerprint key) => Schedule.Post(_outside, "person accepts the key of peer", peer, () =>
    {
        _checker.Accepts(peer);
        _bots[peer].Send(new Command.DecideKey($"k{peer}", key, true));
    }, Schedule.Random.Next(_profile.SpanMs));

    private void Say(int peer, string text)
    {
        if (_contacts[peer].State != MessageState.Encrypted)
        {
            Schedule.Post(_outside, "contact waits for the session", peer, () => Say(peer, text), 200);
            return;
        }
        _toSay--;
        _contacts[peer].Say(text);
    }

    /// <summary>The bridge carries wire text to the contact; after a loss of its cursor, again.</summary>
    private void Carry(OutboxItem item, bool isNew)
    {
        if (item.Body is not OutboxBody.WireText wire) return;
        int peer = PeerOf(item.Peer);
        if (wire.Text.Span.StartsWith("?OTRv"u8) && isNew && ++_queries[peer] > 1)
        {
            IsExcused = true;
            return;
        }
        bool isData = _checker.Counters.See($"relay to {peer}", wire.Text.Span);
        // Only the last one: to the contact's engine, an older one is no repetition any more, but a message under lost keys.
        bool isAgain = !isNew && isData && item.Sequence == _lastCarried[peer] && Schedule.Random.Chance(_profile.Habits.Recarries);
        if (isNew || isAgain) _contacts[peer].Receive(wire.Text);
        if (isNew) _lastCarried[peer] = item.Sequence;
        // Not of an offer: what waits for the session would never be sent.
        if (isNew && isData && wire.Message is { } message && _profile.Habits.Refusals is > 0 and var rate && Schedule.Random.Chance(rate)) _settlements.Refuse(peer, item.Sequence, message);
    }

    private void Hear(OutboxItem item, bool isNew)
    {
        if (!isNew) return;
        int peer = PeerOf(item.Peer);
        switch (item.Body)
        {
            case OutboxBody.TextReceived { Encrypted: true } text:
                _checker.Delivered(peer, Direction.ToBot, Encoding.UTF8.GetString(text.Utf8.Span));
                break;
            case OutboxBody.SessionChanged { Cause: SessionCause.KeyExchange } changed:
                _checker.KeyExchanged(peer, "bot", _profile.BeginsWithKeyExchange ? 1 : 0);
                if (changed.IsKeyHeld != _profile.HoldsKeys) _checker.Violated(Invariant.HeldKeys, $"The bot of peer {peer} is told {changed.IsKeyHeld} of a held key.");
                if (changed is { IsKeyHeld: true, Info.PeerFingerprint: { } key }) Decide(peer, key);
                break;
            case OutboxBody.IdentityChanged { Identity.Standing: KeyStanding.Accepted } when _profile.HoldsKeys:
                break;
            case OutboxBody.MessageChanged { Message: var message }:
                _checker.Told(message);
                break;
            default:
                _checker.Violated(Invariant.OneSession, $"The bot of peer {peer} is told {item.Body}.");
                break;
        }
    }

    private static ConversationAddress.ByPeer Address(int peer) => new ConversationAddress.ByPeer(Beginning.Endpoint, Peer(peer));

    private static string Peer(int peer) => $"peer{peer}@example.net";

    private static int PeerOf(string address) => address["peer".Length] - '0';

    public void Dispose()
    {
        foreach (var contact in _contacts) contact.Dispose();
        _nodes.Dispose();
    }
}
