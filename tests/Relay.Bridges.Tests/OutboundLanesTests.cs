using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;

namespace Relay.Bridges.Tests;

/// <summary>Order, repetition and acknowledgement of wire texts on their way to the network.</summary>
public sealed class OutboundLanesTests : IDisposable
{
    private readonly FakeNetwork _network = new();
    private readonly ConnectionGate _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly BridgeOptions _options = new() { Name = "test", MaxOutbound = 8 };
    private readonly BridgeMetrics _metrics = new("test", () => true, () => 0);
    private readonly OutboundLanes _lanes;
    private readonly AckOrder _acks = new();
    private readonly ConcurrentQueue<ulong> _acknowledged = new();
    private readonly ConcurrentQueue<(ulong Sequence, string Failure)> _refused = new();

    public OutboundLanesTests() => _lanes = new OutboundLanes(_network, _gate, _options, _metrics, NullLogger.Instance, _stop.Token);

    public void Dispose()
    {
        _stop.Cancel();
        _lanes.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public async Task Nothing_is_carried_before_the_network_is_connected()
    {
        await AddAsync(1, "alice");
        await Task.Delay(50);
        Assert.Empty(_network.Begun);
        _gate.Open();
        await Wait.UntilAsync(() => _acknowledged.Contains(1ul));
    }

    [Fact]
    public async Task A_peer_is_carried_in_order_and_another_beside_it()
    {
        _gate.Open();
        var first = _network.Hold(1);
        await AddAsync(1, "alice");
        await AddAsync(2, "alice");
        await AddAsync(3, "bob");
        await Wait.UntilAsync(() => _network.Begun.Contains(3ul));
        Assert.DoesNotContain(2ul, _network.Begun);
        first.SetResult(Carried.Taken);
        await Wait.UntilAsync(() => _network.Begun.Contains(2ul));
    }

    /// <summary>The acknowledgement is cumulative: bob's text, which is later and done, must not take alice's with it.</summary>
    [Fact]
    public async Task What_waits_is_not_acknowledged_by_what_came_later()
    {
        _gate.Open();
        var first = _network.Hold(1);
        await AddAsync(1, "alice");
        await AddAsync(2, "bob");
        await Wait.UntilAsync(() => _network.Begun.Contains(2ul));
        await Task.Delay(50);
        Assert.Empty(_acknowledged);
        first.SetResult(Carried.Taken);
        await Wait.UntilAsync(() => !_acknowledged.IsEmpty);
        Assert.Equal([2ul], _acknowledged);
    }

    [Fact]
    public async Task A_text_that_is_refused_does_not_hold_up_the_rest()
    {
        _gate.Open();
        var first = _network.Hold(1);
        await AddAsync(1, "alice");
        await AddAsync(2, "alice");
        first.SetResult(Carried.Refused);
        await Wait.UntilAsync(() => _acknowledged.Contains(2ul));
        Assert.Equal([1ul, 2ul], _network.Begun);
        Assert.Equal([(1ul, Failures.Refused)], _refused);
    }

    [Fact]
    public async Task What_is_uncertain_is_carried_again_after_the_next_connection_and_not_before()
    {
        _gate.Open();
        var first = _network.Hold(1);
        await AddAsync(1, "alice");
        await AddAsync(2, "alice");
        await Wait.UntilAsync(() => _network.Begun.Contains(1ul));
        first.SetResult(Carried.Unknown);
        await Task.Delay(150);
        Assert.Equal([1ul], _network.Begun);
        _gate.Close();
        await Task.Delay(150);
        Assert.Equal([1ul], _network.Begun);
        _gate.Open();
        await Wait.UntilAsync(() => _acknowledged.Contains(2ul));
        Assert.Equal([1ul, 1ul, 2ul], _network.Begun);
    }

    /// <summary>After a bridge died in the middle of a message, it begins with the first piece: receivers forget a message of which one comes twice.</summary>
    [Fact]
    public async Task The_pieces_of_a_message_are_settled_with_the_last_one()
    {
        _gate.Open();
        await AddAsync(1, "alice", "?OTR|1|2,1,3,a,");
        await AddAsync(2, "alice", "?OTR|1|2,2,3,a,");
        await AddAsync(3, "bob");
        await Wait.UntilAsync(() => _network.Begun.Count == 3);
        // Nothing else settles bob's text later than alice's pieces.
        await Wait.UntilAsync(() => _lanes.Held == 2);
        Assert.Empty(_acknowledged);
        await AddAsync(4, "alice", "?OTR|1|2,3,3,a,");
        await Wait.UntilAsync(() => _acknowledged.Contains(4ul));
        Assert.Equal(0, _lanes.Held);
    }

    [Fact]
    public async Task A_message_that_a_connection_broke_off_begins_again_with_its_first_piece()
    {
        _gate.Open();
        var third = _network.Hold(3);
        await AddAsync(1, "alice", "?OTR,1,4,a,");
        await AddAsync(2, "alice", "?OTR,2,4,a,");
        await AddAsync(3, "alice", "?OTR,3,4,a,");
        await AddAsync(4, "alice", "?OTR,4,4,a,");
        await Wait.UntilAsync(() => _network.Begun.Contains(3ul));
        _gate.Close();
        third.SetResult(Carried.Unknown);
        _gate.Open();
        await Wait.UntilAsync(() => _acknowledged.Contains(4ul));
        Assert.Equal([1ul, 2ul, 3ul, 1ul, 2ul, 3ul, 4ul], _network.Begun);
    }

    [Fact]
    public async Task A_message_longer_than_the_bound_is_carried_all_the_same()
    {
        _gate.Open();
        for (ulong i = 1; i <= 20; i++) await AddAsync(i, "alice", $"?OTR|1|2,{i},20,a,").InTime();
        await Wait.UntilAsync(() => _acknowledged.Contains(20ul));
        Assert.Equal(Enumerable.Range(1, 20).Select(i => (ulong)i), _network.Begun);
        Assert.Equal(0, _lanes.Held);
    }

    [Theory]
    [InlineData("?OTR|1|2,1,3,a,", true)]
    [InlineData("?OTR|00000101|00000102,00002,00003,a,", true)]
    [InlineData("?OTR|1|2,3,3,a,", false)]
    [InlineData("?OTR,1,2,a,", true)]
    [InlineData("?OTR:AAMD.", false)]
    [InlineData("?OTR|1|2", false)]
    [InlineData("?OTR,", false)]
    [InlineData("?OTR,1", false)]
    [InlineData("one, 1,2,", false)]
    [InlineData("", false)]
    public void A_piece_says_whether_another_follows(string text, bool isFollowed) =>
        Assert.Equal(isFollowed, Fragments.IsFollowed(System.Text.Encoding.UTF8.GetBytes(text)));

    [Fact]
    public async Task At_the_bound_no_more_is_taken()
    {
        for (ulong i = 1; i <= 8; i++) await AddAsync(i, "alice");
        var ninth = AddAsync(9, "bob");
        await Task.Delay(50);
        Assert.False(ninth.IsCompleted);
        Assert.Equal(8, _lanes.Held);
        _gate.Open();
        await ninth.InTime();
        await Wait.UntilAsync(() => _lanes.Held == 0);
    }

    /// <summary>A network that throws has a bug; it must not be taken for a peer's fault and swallowed.</summary>
    [Fact]
    public async Task A_network_that_throws_faults_the_worker()
    {
        _gate.Open();
        var first = _network.Hold(1);
        await AddAsync(1, "alice");
        first.SetException(new InvalidOperationException("bug"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => _lanes.Fault.InTime());
    }

    private Task AddAsync(ulong sequence, string peer, string text = "")
    {
        var entry = _acks.Add(() =>
        {
            _acknowledged.Enqueue(sequence);
            return ValueTask.CompletedTask;
        });
        return _lanes.AddAsync(new OutboundText("endpoints/e", peer, sequence, System.Text.Encoding.UTF8.GetBytes(text)), failure =>
        {
            if (failure.Length > 0) _refused.Enqueue((sequence, failure));
            return _acks.SettleAsync(entry);
        }, CancellationToken.None);
    }

    private sealed class FakeNetwork : IChatNetwork
    {
        private readonly ConcurrentDictionary<ulong, TaskCompletionSource<Carried>> _held = new();

        public ConcurrentQueue<ulong> Begun { get; } = new();

        public TaskCompletionSource<Carried> Hold(ulong sequence) => _held[sequence] = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<ConnectionEnd> RunAsync(IBridgeInbox inbox, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<Carried> CarryAsync(OutboundText text, CancellationToken cancellation)
        {
            Begun.Enqueue(text.Sequence);
            return _held.TryRemove(text.Sequence, out var held) ? held.Task : Task.FromResult(Carried.Taken);
        }
    }
}
