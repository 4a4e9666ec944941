using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Relay.Actors;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.Storage;
using Relay.V1;
using MessageState = Otr.Core.MessageState;
using NodeState = Relay.V1.NodeState;

namespace Relay.Gateway.Tests;

/// <summary>A client of several nodes: it goes on to the next one when one drains or dies, and its author sees nothing of it.</summary>
public sealed class FailoverTests
{
    private const string Endpoint = "endpoints/e";
    private static readonly RelayClientOptions s_once = new() { GiveUpAfter = TimeSpan.Zero };

    [Fact]
    public async Task A_call_goes_on_from_a_server_that_cannot_be_reached_without_waiting()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        // No second round: it must be done in the first.
        await using var client = RelayClient.Connect([Nowhere(), Nowhere(), server.Address], RelayKey.Parse(await server.CreateKeyAsync(Scope.Bot)), s_once with { FirstBackoff = TimeSpan.FromHours(1) });
        Assert.True(await client.IsServingAsync(Patience.Token));
        await client.Bot(Endpoint).SendToAsync(Endpoint, "p", "hello", cancellation: Patience.Token);
    }

    [Fact]
    public async Task A_call_goes_on_from_a_node_that_drains_with_the_same_request_id_and_stays_there()
    {
        FakeRelay first = new() { Documents = new FakeDocuments() }, second = new(first);
        ConcurrentQueue<string> atFirst = Recorded(first), atSecond = Recorded(second);
        var (one, two) = await TestServer.StartTwoAsync(first, second);
        await using var _ = one;
        await using var __ = two;
        // It has begun the work and cannot say whether it was done.
        bool failsOnce = true;
        var answers = first.OnAsk;
        first.OnAsk = async (address, command, cancellation) =>
        {
            var done = await answers(address, command, cancellation);
            if (command.RequestId != "2" || !failsOnce) return done;
            failsOnce = false;
            return new ConversationReply.Unavailable("draining", TimeSpan.FromSeconds(30));
        };
        await using var client = await ConnectAsync(Scope.Bot, one, two);
        var bot = client.Bot(Endpoint);
        foreach (var id in new[] { "1", "2", "3" }) await bot.SendToAsync(Endpoint, "p", "hello", id, cancellation: Patience.Token);
        Assert.Equal(["1", "2"], atFirst);
        Assert.Equal(["2", "3"], atSecond);
        // And back, once that one goes.
        await two.Host.DrainAsync(CancellationToken.None);
        await bot.SendToAsync(Endpoint, "p", "hello", "4", cancellation: Patience.Token);
        Assert.Equal(["1", "2", "4"], atFirst);
    }

    [Theory]
    [InlineData(ConversationReply.Slow)]
    [InlineData(ConversationReply.Moved)]
    [InlineData(ConversationReply.Expired)]
    [InlineData(ConversationReply.OutOfOrder)]
    public async Task A_conversation_that_does_not_reply_is_asked_again_at_the_same_node(string reason)
    {
        FakeRelay first = new() { Documents = new FakeDocuments() }, second = new(first);
        ConcurrentQueue<string> atFirst = Recorded(first), atSecond = Recorded(second);
        var (one, two) = await TestServer.StartTwoAsync(first, second);
        await using var _ = one;
        await using var __ = two;
        bool failsOnce = true;
        var answers = first.OnAsk;
        first.OnAsk = async (address, command, cancellation) =>
        {
            var done = await answers(address, command, cancellation);
            if (!failsOnce) return done;
            failsOnce = false;
            return new ConversationReply.Unavailable(reason, TimeSpan.FromMilliseconds(10));
        };
        await using var client = await ConnectAsync(Scope.Bot, one, two);
        // The whole client would leave the node for one conversation, with all streams, perhaps for the node that hangs.
        await client.Bot(Endpoint).SendToAsync(Endpoint, "p", "hello", "1", cancellation: Patience.Token);
        Assert.Equal(["1", "1"], atFirst);
        Assert.Empty(atSecond);
    }

    [Fact]
    public async Task Every_server_is_tried_once_before_a_call_is_given_up_and_what_is_refused_is_not_tried_again()
    {
        FakeRelay first = new() { Documents = new FakeDocuments() }, second = new(first);
        ConcurrentQueue<string> atFirst = Recorded(first), atSecond = Recorded(second);
        var (one, two) = await TestServer.StartTwoAsync(first, second);
        await using var _ = one;
        await using var __ = two;
        await using var client = await ConnectAsync(Scope.Bot, one, two, s_once);
        var bot = client.Bot(Endpoint);
        void Answer(ConversationReply reply)
        {
            foreach (var relay in new[] { first, second })
            {
                var before = relay.OnAsk;
                relay.OnAsk = async (address, command, cancellation) =>
                {
                    await before(address, command, cancellation);
                    return reply;
                };
            }
        }
        Answer(new ConversationReply.Unavailable("store", TimeSpan.FromMilliseconds(10)));
        var e = await Assert.ThrowsAsync<RelayException>(() => bot.SendToAsync(Endpoint, "p", "hello", "1", cancellation: Patience.Token));
        Assert.Equal(StatusCode.Unavailable, e.Code);
        Assert.Equal(["1"], atFirst);
        Assert.Equal(["1"], atSecond);
        // A bound that is reached is the whole cluster's; another node would be asked in vain.
        Answer(new ConversationReply.Overloaded("mailbox", TimeSpan.FromMilliseconds(10)));
        await Assert.ThrowsAsync<RelayException>(() => bot.SendToAsync(Endpoint, "p", "hello", "2", cancellation: Patience.Token));
        Answer(new ConversationReply.RequestIdReused());
        await Assert.ThrowsAsync<RelayException>(() => bot.SendToAsync(Endpoint, "p", "hello", "3", cancellation: Patience.Token));
        Assert.Equal(["1", "2", "3"], atFirst);
        Assert.Equal(["1"], atSecond);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_bots_stream_goes_on_at_another_node_without_loss_or_repetition(bool drains)
    {
        var first = new FakeRelay { Documents = new FakeDocuments() };
        var (one, two) = await TestServer.StartTwoAsync(first);
        await using var _ = one;
        await using var __ = two;
        await using var client = await ConnectAsync(Scope.Bot, one, two);
        var stream = first.Stream("e", StreamKind.Events);
        void Add(int count)
        {
            for (int i = 0; i < count; i++) stream.Add(new OutboxBody.Notice("N", default));
        }
        Add(20);
        var seen = new List<ulong>();
        await foreach (var e in client.Bot(Endpoint).Events(Patience.Token))
        {
            seen.Add(e.Message.Sequence);
            // Half of what was given is not acknowledged when the node goes: it is not given again.
            if (e.Message.Sequence <= 10 || e.Message.Sequence > 20) await e.AckAsync();
            if (e.Message.Sequence == 20)
            {
                if (drains) await one.Host.DrainAsync(CancellationToken.None);
                else await one.Host.DisposeAsync();
                Add(20);
            }
            if (e.Message.Sequence == 40) break;
        }
        Assert.Equal(Enumerable.Range(1, 40).Select(i => (ulong)i), seen);
        Assert.Equal(40UL, stream.Acknowledged);
    }

    [Fact]
    public async Task A_bridge_goes_on_at_another_node_both_ways()
    {
        FakeRelay first = new() { Documents = new FakeDocuments() }, second = new(first);
        // What a node took in is its shards', which all nodes reach: one list for both.
        var taken = new ConcurrentDictionary<string, int>();
        foreach (var relay in new[] { first, second })
        {
            relay.OnAsk = (_, command, _) =>
            {
                taken.AddOrUpdate(command.RequestId, 1, (_, n) => n + 1);
                return ValueTask.FromResult<ConversationReply>(new ConversationReply.Done(FakeRelay.ConversationId, MessageState.Encrypted, null));
            };
        }
        var (one, two) = await TestServer.StartTwoAsync(first, second);
        await using var _ = one;
        await using var __ = two;
        await using var client = await ConnectAsync(Scope.Bridge, one, two);
        await using var bridge = client.Bridge(Endpoint);
        var stream = first.Stream("e", StreamKind.Wire);
        var carried = new List<ulong>();
        var carrying = Task.Run(async () =>
        {
            await foreach (var message in bridge.Outbound(Patience.Token))
            {
                carried.Add(message.Message.Sequence);
                await message.AckAsync();
                if (message.Message.Sequence == 30) return;
            }
        });
        for (int i = 1; i <= 30; i++)
        {
            stream.Add(new OutboxBody.WireText("?OTR"u8.ToArray()));
            if (i == 10) await one.Host.DrainAsync(CancellationToken.None);
            var result = await bridge.DeliverAsync($"p{i % 3}", $"{i}", "x"u8.ToArray(), cancellation: Patience.Token);
            Assert.Equal("", result.RejectReason);
        }
        await carrying.WaitAsync(Patience.Limit);
        Assert.Equal(Enumerable.Range(1, 30).Select(i => (ulong)i), carried);
        Assert.Equal(30, taken.Count);
    }

    [Fact]
    public async Task The_newest_bridge_carries_the_endpoint_also_when_it_is_at_another_node()
    {
        var first = new FakeRelay { Documents = new FakeDocuments() };
        var (one, two) = await TestServer.StartTwoAsync(first);
        await using var _ = one;
        await using var __ = two;
        var key = RelayKey.Parse(await two.CreateKeyAsync(Scope.Bridge));
        await using var atFirst = await ConnectAsync(Scope.Bridge, one, one);
        await using var atSecond = RelayClient.Connect(two.Address, key);
        var stream = first.Stream("e", StreamKind.Wire);
        stream.Add(new OutboxBody.WireText("one"u8.ToArray()));
        await using var older = atFirst.Bridge(Endpoint);
        await using var carriedByOlder = older.Outbound(Patience.Token).GetAsyncEnumerator();
        Assert.True(await carriedByOlder.MoveNextAsync());
        await carriedByOlder.Current.AckAsync();
        await using var newer = atSecond.Bridge(Endpoint);
        // Its stream is open once a message has gone through it.
        await newer.DeliverAsync("p", "1", "x"u8.ToArray(), cancellation: Patience.Token);
        await using var carriedByNewer = newer.Outbound(Patience.Token).GetAsyncEnumerator();
        // The older one finds out when there is something to carry, within its interval of looking.
        var told = Assert.ThrowsAsync<RelayException>(async () => { while (await carriedByOlder.MoveNextAsync()) { } });
        for (int i = 0; !told.IsCompleted; i++)
        {
            stream.Add(new OutboxBody.WireText("more"u8.ToArray()));
            Assert.True(await carriedByNewer.MoveNextAsync());
            await carriedByNewer.Current.AckAsync();
            await Task.WhenAny(told, Task.Delay(100));
        }
        Assert.Equal("STREAM_REPLACED", (await told).Reason);
        await newer.DeliverAsync("p", "2", "x"u8.ToArray(), cancellation: Patience.Token);
    }

    [Fact]
    public async Task Nodes_that_all_drain_are_not_asked_round_and_round()
    {
        FakeRelay first = new() { Documents = new FakeDocuments() }, second = new(first);
        var gate = new TaskCompletionSource();
        first.OnDrain = second.OnDrain = _ => gate.Task;
        var (one, two) = await TestServer.StartTwoAsync(first, second);
        await using var _ = one;
        await using var __ = two;
        var leaving = new[] { one.Host.DrainAsync(CancellationToken.None), two.Host.DrainAsync(CancellationToken.None) };
        var time = new WaitsSeen(TimeSpan.FromMinutes(30));
        await using var client = await ConnectAsync(Scope.Bot, one, two, new RelayClientOptions { FirstBackoff = TimeSpan.FromHours(1), MaxBackoff = TimeSpan.FromHours(1), SilenceLimit = TimeSpan.FromMinutes(7), Time = time });
        using var stop = new CancellationTokenSource();
        var reading = client.Bot(Endpoint).Events(stop.Token).GetAsyncEnumerator(stop.Token).MoveNextAsync().AsTask();
        await time.LongWait.WaitAsync(Patience.Limit);
        // One timer of silence for each connection.
        Assert.Equal(2, time.Seen.Count(w => w == TimeSpan.FromMinutes(7)));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        gate.SetResult();
        await Task.WhenAll(leaving);
    }

    [Fact]
    public void Addresses_are_read_from_one_text()
    {
        Assert.Equal([new Uri("http://127.0.0.1:1"), new Uri("https://b.example:2")], RelayClient.ParseServers(" http://127.0.0.1:1, https://b.example:2,"));
        foreach (var wrong in new[] { "", ",", "b.example:2", "http://a:1,ftp://b:2", "http://a:1 http://b:2" }) Assert.Throws<FormatException>(() => RelayClient.ParseServers(wrong));
        Assert.Throws<ArgumentException>(() => RelayClient.Connect([], null));
        var key = RelayKey.Parse("relay_aaaaaaaaaaaaaaaa_" + new string('0', 64));
        Assert.Throws<ArgumentException>(() => RelayClient.Connect([new Uri("https://a.example:1"), new Uri("http://b.example:1")], key));
    }

    [Fact]
    public async Task The_command_line_takes_several_servers()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        var servers = $"{Nowhere()},{server.Address}";
        var key = Path.Combine(server.DataDirectory, "admin.key");
        Assert.Equal(0, (await Terminal.RunAsync("keys", "list", "--server", servers, "--key-file", key, "--json")).Code);
        Assert.Equal(0, (await Terminal.RunAsync("health", "--server", servers)).Code);
        Assert.Equal(3, (await Terminal.RunAsync("health", "--server", $"{Nowhere()},{Nowhere()}")).Code);
    }

    [Fact]
    public async Task The_nodes_are_listed_with_what_each_has()
    {
        IReadOnlyList<NodeView> nodes =
        [
            new("a:7430", IsSelf: true, NodeMembership.Up, IsReachable: true, Shards: 21, Conversations: 9),
            new("b:7430", IsSelf: false, NodeMembership.Leaving, IsReachable: true, Shards: 0, Conversations: 0),
            new("c:7430", IsSelf: false, NodeMembership.Down, IsReachable: false, Shards: null, Conversations: null),
            new("d:7430", IsSelf: false, NodeMembership.Joining, IsReachable: true, Shards: null, Conversations: null),
        ];
        await using var server = await TestServer.StartAsync(new FakeRelay { Nodes = nodes });
        var seen = (await server.Admin.Admin.ListNodesAsync(new ListNodesRequest())).Nodes;
        Assert.Equal(
            [
                ("a:7430", true, NodeState.Up, true, true, 21, 9), ("b:7430", false, NodeState.Leaving, true, true, 0, 0),
                ("c:7430", false, NodeState.Down, false, false, 0, 0), ("d:7430", false, NodeState.Joining, true, false, 0, 0),
            ],
            seen.Select(n => (n.Name, n.Answering, n.State, n.Reachable, n.HasShards && n.HasConversations, n.Shards, n.Conversations)));

        var key = Path.Combine(server.DataDirectory, "admin.key");
        var listed = await Terminal.RunAsync("nodes", "--server", $"{Nowhere()},{server.Address}", "--key-file", key);
        Assert.Equal(0, listed.Code);
        var lines = listed.Out.Split('\n').Select(l => string.Join(' ', l.Split(' ', StringSplitOptions.RemoveEmptyEntries))).ToList();
        Assert.Contains("a:7430 up 21 9 answers", lines);
        Assert.Contains("c:7430 down, not reachable – –", lines);
    }

    [Fact]
    public async Task A_server_whose_cluster_goes_on_without_it_ends_with_the_code_that_asks_for_a_restart()
    {
        var relay = new FakeRelay();
        var ended = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var directory = new TempDirectory();
        await using var host = await ServerHost.StartAsync(new() { ["--data"] = directory.Path }, relay, end: code => ended.TrySetResult(code));
        Assert.False(ended.Task.IsCompleted);
        relay.Loss.SetResult("downed");
        Assert.Equal(75, await ended.Task.WaitAsync(Patience.Token));
    }

    private static async Task<RelayClient> ConnectAsync(Scope scope, TestServer one, TestServer two, RelayClientOptions? options = null)
    {
        var key = RelayKey.Parse(await one.CreateKeyAsync(scope));
        return RelayClient.Connect([one.Address, two.Address], key, options ?? new RelayClientOptions { MaxBackoff = TimeSpan.FromMilliseconds(200) });
    }

    private static ConcurrentQueue<string> Recorded(FakeRelay relay)
    {
        var asked = new ConcurrentQueue<string>();
        var answer = relay.OnAsk;
        relay.OnAsk = (address, command, cancellation) =>
        {
            asked.Enqueue(command.RequestId);
            return answer(address, command, cancellation);
        };
        return asked;
    }

    /// <summary>An address where nobody listens.</summary>
    private static Uri Nowhere()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        return new Uri($"http://127.0.0.1:{port}");
    }

    /// <summary>The system's clock, which notes the timers it is asked for.</summary>
    private sealed class WaitsSeen(TimeSpan isLong) : TimeProvider
    {
        private readonly TaskCompletionSource _long = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ConcurrentQueue<TimeSpan> Seen { get; } = new();

        public Task LongWait => _long.Task;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Seen.Enqueue(dueTime);
            if (dueTime >= isLong) _long.TrySetResult();
            return base.CreateTimer(callback, state, dueTime, period);
        }
    }
}
