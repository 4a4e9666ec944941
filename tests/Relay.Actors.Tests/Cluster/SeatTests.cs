using Microsoft.Extensions.Logging.Abstractions;
using Relay.Actors.Cluster;
using Relay.Actors.Conversations;
using Relay.Actors.Outbox;
using Relay.Actors.Shards;
using Relay.Actors.Telemetry;
using Relay.Actors.Tests.Harness;
using Relay.Storage;

namespace Relay.Actors.Tests.Cluster;

/// <summary>How nodes come, go, and stand in line for the shards.</summary>
public sealed class SeatTests : IAsyncDisposable
{
    private const int Shards = 8;
    private readonly ManualTime _time = new();
    private readonly NodesStore _store = new();
    private readonly TestBroker _broker = new(Shards);
    private readonly RelayTelemetry _telemetry = new();
    private readonly Dictionary<string, ClusterShards> _nodes = [];
    private readonly Dictionary<string, Membership> _memberships = [];

    private async Task<ClusterShards> JoinAsync(string name)
    {
        var node = new NodeRow(Guid.NewGuid(), name, IsDraining: false);
        var turn = new TurnEnvironment(null!, null!, null!, null!, new StreamSignals(_time), _telemetry);
        var context = new ConversationContext(_store, null!, null!, null!, _time, NullLogger.Instance, turn, new ResidentConversations(1, _time), _ => { });
        var membership = new Membership(_store, node, Shards, _time, NullLogger.Instance);
        var shards = new ClusterShards(context, _broker.Of(name), _store, membership, new RelayNodeOptions(1) { MaxResidentConversations = 100 });
        _nodes[name] = shards;
        _memberships[name] = membership;
        await shards.StartAsync(default);
        return shards;
    }

    private Placement Wished => _memberships.Values.First(m => _store.Names.Length == m.Current.Nodes.Count).Current.Placement;

    private string NameOf(Guid id) => _memberships.FirstOrDefault(m => m.Value.Self == id).Key ?? "";

    /// <summary>Lets time pass, a heartbeat's interval after another, until something is so.</summary>
    private async Task UntilAsync(Func<bool> isSo, int beats = 60)
    {
        for (int i = 0; i < beats * 20; i++)
        {
            if (isSo()) return;
            if (i % 20 == 19) _time.Advance(RelayLimits.HeartbeatInterval);
            await Task.Delay(1);
        }
        Assert.Fail("It never became so. " + string.Join("; ", Enumerable.Range(0, Shards).Select(s => $"{s}: {string.Join(",", _broker.Line(s))}")));
    }

    /// <summary>Everybody stands where the placement of those nodes wants them.</summary>
    private bool IsPlaced(params string[] names) => _memberships.Where(m => names.Contains(m.Key)).All(m => m.Value.Current.Nodes.Count(n => !n.IsDraining) == names.Length)
        && Enumerable.Range(0, Shards).All(s =>
        {
            var placement = _memberships[names[0]].Current.Placement;
            string[] line = names.Length == 1 ? [NameOf(placement.Owner(s))] : [NameOf(placement.Owner(s)), NameOf(placement.Standby(s))];
            return _broker.Line(s).SequenceEqual(line);
        });

    [Fact]
    public async Task The_first_node_stands_in_line_for_everything_at_once()
    {
        await JoinAsync("a");
        await UntilAsync(() => Enumerable.Range(0, Shards).All(s => _broker.Line(s) is ["a"]), beats: 1);
    }

    [Fact]
    public async Task A_node_that_joins_comes_first_where_it_should_own_and_the_others_step_back()
    {
        await JoinAsync("a");
        await UntilAsync(() => IsPlaced("a"));
        for (int s = 0; s < Shards; s++) await _broker.ActivateAsync(s);
        Assert.Equal(Shards, _nodes["a"].Owned);
        await JoinAsync("b");
        await JoinAsync("c");
        await UntilAsync(() => IsPlaced("a", "b", "c"));
        Assert.True(_broker.Closed >= Shards / 2, "Shards are handed over in good order.");
        Assert.InRange(_nodes["a"].Owned, 1, (Shards + 2) / 3);
    }

    [Fact]
    public async Task A_node_that_drains_hands_everything_on_and_takes_its_row_away()
    {
        foreach (var name in new[] { "a", "b", "c" }) await JoinAsync(name);
        await UntilAsync(() => IsPlaced("a", "b", "c"));
        var standbys = Enumerable.Range(0, Shards).Where(s => _broker.Line(s)[0] == "b").ToDictionary(s => s, s => _broker.Line(s)[1]);
        await _nodes["b"].AnnounceDrainAsync(default);
        await _nodes["b"].HandOnAsync(null!, default);
        // Whoever stood behind it is first now, before anybody has noticed that it went.
        Assert.All(standbys, s => Assert.Equal(s.Value, _broker.Line(s.Key)[0]));
        Assert.DoesNotContain("b", _store.Names);
        await UntilAsync(() => IsPlaced("a", "c"));
        Assert.Equal(0, _nodes["b"].Owned);
    }

    [Fact]
    public async Task A_node_that_dies_is_followed_by_its_standbys_and_then_replaced_behind_them()
    {
        foreach (var name in new[] { "a", "b", "c" }) await JoinAsync(name);
        await UntilAsync(() => IsPlaced("a", "b", "c"));
        var lines = Enumerable.Range(0, Shards).Select(_broker.Line).ToArray();
        _nodes.Remove("c", out var died);
        await died!.DisposeAsync();
        for (int s = 0; s < Shards; s++) Assert.Equal(lines[s].First(n => n != "c"), _broker.Line(s)[0]);
        _store.Forget("c");
        await UntilAsync(() => IsPlaced("a", "b"));
    }

    [Fact]
    public async Task A_broken_connection_is_followed_by_standing_in_line_again_and_the_standby_steps_back()
    {
        foreach (var name in new[] { "a", "b" }) await JoinAsync(name);
        await UntilAsync(() => IsPlaced("a", "b"));
        _broker.Break("a");
        await UntilAsync(() => Enumerable.Range(0, Shards).All(s => _broker.Line(s).Length == 2));
        int wrong = Enumerable.Range(0, Shards).First(s => _broker.Line(s)[0] != NameOf(Wished.Owner(s)));
        // Nobody came or went, so only the standby that finds itself acting sets it right.
        await _broker.ActivateAsync(wrong);
        await UntilAsync(() => _broker.Line(wrong) is [var first, _] && first == NameOf(Wished.Owner(wrong)), beats: 120);
    }

    [Fact]
    public async Task Without_the_store_the_last_view_stands_and_nobody_gives_anything_up()
    {
        foreach (var name in new[] { "a", "b" }) await JoinAsync(name);
        await UntilAsync(() => IsPlaced("a", "b"));
        int generation = _memberships["a"].Current.Generation, closed = _broker.Closed;
        _store.IsDown = true;
        for (int i = 0; i < 20; i++)
        {
            _time.Advance(RelayLimits.HeartbeatInterval);
            await Task.Delay(2);
        }
        Assert.True(IsPlaced("a", "b"));
        Assert.Equal((generation, closed), (_memberships["a"].Current.Generation, _broker.Closed));
        _store.IsDown = false;
        await JoinAsync("c");
        await UntilAsync(() => IsPlaced("a", "b", "c"));
    }

    [Fact]
    public async Task One_node_keeps_the_deadlines_and_another_does_when_it_has_gone()
    {
        foreach (var name in new[] { "a", "b", "c" }) await JoinAsync(name);
        await UntilAsync(() => IsPlaced("a", "b", "c"));
        var keeper = Assert.Single(_nodes, n => n.Value.KeepsDeadlines);
        await keeper.Value.AnnounceDrainAsync(default);
        await UntilAsync(() => _nodes.Count(n => n.Value.KeepsDeadlines) == 1 && !keeper.Value.KeepsDeadlines);
    }

    public async ValueTask DisposeAsync()
    {
        _store.IsDown = false;
        foreach (var node in _nodes.Values) await node.DisposeAsync();
        _telemetry.Dispose();
    }
}
