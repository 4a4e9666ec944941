using Relay.Cli;
using Relay.Client;

namespace Relay.Lab.Load;

/// <summary>
/// Runs many conversations at once through a server or a cluster: contacts ask questions with pauses between them, a bot
/// answers and also sends messages unasked, and a bridge carries the wire text. All messages are recorded and checked.
/// </summary>
internal sealed class ConversationLoad : IAsyncDisposable
{
    /// <summary>Maximum number of concurrent key exchanges, so that early ones do not time out behind later ones.</summary>
    private const int BeginningAtOnce = 32;
    /// <summary>The bot sends an unasked message once in this number of rounds.</summary>
    private const int UnaskedEvery = 3;

    private readonly LoadOptions _options;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<LoadConversation> _conversations = [];
    private readonly List<ILoadPeer> _peers = [];
    private readonly Dictionary<(string Endpoint, string Peer), int> _numbers = [];
    private readonly List<Task> _running = [];
    private readonly Random _random;
    private readonly Bridge _bridge;
    private readonly LoadBot _bot;
    private Task _rounds = Task.CompletedTask;
    private CancellationTokenSource _talking = new();
    private int _wireIds;

    private ConversationLoad(RelayClient bot, RelayClient bridge, LoadOptions options, IReadOnlyList<string> endpoints)
    {
        _options = options;
        _random = new Random(options.Seed);
        _bridge = bridge.Bridge([.. endpoints]);
        _bot = new LoadBot(bot.Bot([.. endpoints]),
            (endpoint, peer) => _numbers.TryGetValue((endpoint, peer), out int number) ? _conversations[number] : null,
            code => Ledger.Fault("the bot", $"was told that an event is lost: {code}"));
    }

    public LoadLedger Ledger { get; } = new();

    public IReadOnlyList<LoadConversation> Conversations => _conversations;

    /// <summary>The sum over all conversations.</summary>
    public LoadTally Tally => _conversations.Aggregate(default(LoadTally), (sum, c) => sum + c.Tally);

    /// <summary>Connects bot and bridge, and creates the contacts. No message is sent yet.</summary>
    /// <param name="bot">A client with a bot's key.</param>
    /// <param name="bridge">A client with a bridge's key.</param>
    /// <param name="endpoints">Resource names.</param>
    /// <param name="makePeer">Creates the contact of a conversation.</param>
    public static async Task<ConversationLoad> StartAsync(
        RelayClient bot, RelayClient bridge, LoadOptions options, IReadOnlyList<string> endpoints,
        Func<LoadConversation, Task<ILoadPeer>> makePeer)
    {
        var load = new ConversationLoad(bot, bridge, options, endpoints);
        try
        {
            for (int i = 0; i < options.Conversations; i++)
            {
                var peer = $"contact{i:000}{options.ContactSuffix}@load.example";
                var conversation = new LoadConversation(i, endpoints[i % endpoints.Count], peer, load.Ledger);
                load._numbers.Add((conversation.Endpoint, conversation.Peer), i);
                load._conversations.Add(conversation);
                load._peers.Add(await makePeer(conversation));
            }
            load._running.Add(load.WatchAsync("the bot", load._bot.RunAsync(load._stop.Token)));
            load._running.Add(load.WatchAsync("the bridge", load.CarryOutAsync(load._stop.Token)));
            foreach (var conversation in load._conversations)
                load._running.Add(load.WatchAsync("the bridge", load.CarryInAsync(conversation, load._stop.Token)));
            return load;
        }
        catch
        {
            await load.DisposeAsync();
            throw;
        }
    }

    /// <summary>Every contact starts a private session; completes when all are established.</summary>
    /// <param name="progress">Called with the number of established sessions.</param>
    public async Task BeginAsync(Action<int> progress, CancellationToken cancellation)
    {
        int begun = 0;
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = BeginningAtOnce, CancellationToken = cancellation };
        await Parallel.ForEachAsync(_conversations, parallel, async (conversation, stopping) =>
        {
            await _peers[conversation.Number].StartAsync(stopping);
            await conversation.Began.WaitAsync(stopping);
            progress(Interlocked.Increment(ref begun));
        });
    }

    /// <summary>Lets all contacts talk until <see cref="SettleAsync"/>.</summary>
    public void Talk()
    {
        _talking.Dispose();
        _talking = new CancellationTokenSource();
        _rounds = Task.WhenAll(_conversations.Select(c => WatchAsync(c.Peer, TalkAsync(c, new Random(_random.Next()), _talking.Token))));
    }

    /// <summary>Waits until every contact has read <paramref name="answers"/> further answers.</summary>
    /// <returns>For each conversation, the time from this call to the first of them.</returns>
    public async Task<IReadOnlyList<TimeSpan>> AllAnsweredAsync(int answers, CancellationToken cancellation)
    {
        long begun = TimeProvider.System.GetTimestamp();
        return await Task.WhenAll(_conversations.Select(async conversation =>
        {
            var first = await conversation.NextAnswerAsync(cancellation);
            for (int i = 1; i < answers; i++) await conversation.NextAnswerAsync(cancellation);
            return TimeProvider.System.GetElapsedTime(begun, first.Heard);
        }));
    }

    /// <summary>Stops new questions, and waits until every message has been read.</summary>
    /// <returns>The conversations with unread messages at the end of the limit.</returns>
    public async Task<IReadOnlyList<LoadConversation>> SettleAsync(TimeSpan limit, CancellationToken cancellation)
    {
        await _talking.CancelAsync();
        var rest = await Task.WhenAny(_rounds, Task.Delay(limit, cancellation));
        cancellation.ThrowIfCancellationRequested();
        var unsettled = rest == _rounds ? [] : _conversations.Where(c => !c.IsSettled).ToList();
        foreach (var conversation in unsettled)
        {
            var t = conversation.Tally;
            conversation.Fault($"lost: the contact sent {t.ContactSaid}, the bot read {t.BotRead}; "
                + $"the bot sent {t.BotSaid}, the contact read {t.ContactRead}");
        }
        return unsettled;
    }

    public async ValueTask DisposeAsync()
    {
        await _talking.CancelAsync();
        await _stop.CancelAsync();
        await _bridge.DisposeAsync();
        await Task.WhenAll(_running);
        await Task.WhenAll(_peers.Select(p => p.DisposeAsync().AsTask()));
        await _rounds.WaitAsync(TimeSpan.FromSeconds(5)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _talking.Dispose();
        _stop.Dispose();
    }

    private async Task TalkAsync(LoadConversation conversation, Random random, CancellationToken stop)
    {
        var peer = _peers[conversation.Number];
        // The random pause spreads the first questions.
        await PauseAsync(random.NextDouble() * 2);
        for (int round = conversation.Tally.ContactSaid + 1; !stop.IsCancellationRequested; round++)
        {
            var text = $"question {round} {Padding(random)}";
            var answered = conversation.Ask(text);
            var unasked = round % UnaskedEvery == 0
                ? _bot.SayAsync(conversation, $"unasked {round} {Padding(random)}", _stop.Token)
                : Task.CompletedTask;
            await peer.SendAsync(text, _stop.Token);
            await answered.WaitAsync(_stop.Token);
            await unasked.WaitAsync(_stop.Token);
            await PauseAsync(0.5 + random.NextDouble());
        }

        async Task PauseAsync(double thoughts)
            => await Task.Delay(_options.Think * thoughts, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>One text in twenty is so long that it is fragmented, if the network has a limit.</summary>
    private static string Padding(Random random) => new('x', random.Next(20) == 0 ? 1500 : random.Next(100));

    private async Task CarryInAsync(LoadConversation conversation, CancellationToken cancellation)
    {
        await foreach (var wire in conversation.FromContact.ReadAllAsync(cancellation))
        {
            var id = $"w{Interlocked.Increment(ref _wireIds)}";
            var result = await _bridge.DeliverAsync(conversation.Peer, id, wire, conversation.Endpoint, cancellation: cancellation);
            if (result.RejectReason.Length > 0) conversation.Fault($"Relay rejected wire text: {result.RejectReason}");
        }
    }

    private async Task CarryOutAsync(CancellationToken cancellation)
    {
        await foreach (var message in _bridge.Outbound(cancellation))
        {
            if (!_numbers.TryGetValue((message.Endpoint, message.Peer), out int number))
            {
                // Left undelivered by an earlier load.
                await message.AckAsync();
                continue;
            }
            _conversations[number].WireOut(message.Text.Span);
            await _peers[number].ReceiveAsync(message.Text, cancellation);
            await message.AckAsync();
        }
    }

    /// <summary>Records the failure of a task of the load as a fault, like a lost message.</summary>
    private async Task WatchAsync(string who, Task task)
    {
        try
        {
            await task;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Cancelled by DisposeAsync.
        }
        catch (Exception e) when (e is RelayException or IOException or CommandFailure or OperationCanceledException)
        {
            Ledger.Fault(who, $"saw an error: {(e is RelayException r ? $"{r.Code} {r.Reason}" : e.Message)}");
        }
    }
}
