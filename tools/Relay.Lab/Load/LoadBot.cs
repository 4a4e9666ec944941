using Relay.Client;
using Relay.V1;

namespace Relay.Lab.Load;

/// <summary>
/// The bot of many conversations: answers every text, and sends unasked messages. Its messages are sent one after the other
/// within a conversation, and concurrently across conversations.
/// </summary>
/// <param name="find">Finds the conversation of an endpoint and a peer; null for one of an earlier load.</param>
/// <param name="lost">Called when an event is lost: its notice names no conversation.</param>
internal sealed class LoadBot(Bot bot, Func<string, string, LoadConversation?> find, Action<string> lost)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<LoadConversation, Lane> _lanes = [];

    /// <summary>Processes events until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var unacknowledged = new Dictionary<string, AckOrder>();
        await foreach (var e in bot.Events(cancellation))
        {
            if (e.Peer.Length == 0)
            {
                lost(e.Message.Notice.Code);
                continue;
            }
            var done = Task.CompletedTask;
            if (find(e.Endpoint, e.Peer) is not { } conversation)
            {
                Acknowledge(e, done);
                continue;
            }
            switch (e.Message.EventCase)
            {
                case Event.EventOneofCase.TextReceived:
                    conversation.BotRead(e.Text!, e.IsPrivate);
                    done = Enqueue(conversation, e.Conversation, LoadConversation.AnswerTo(e.Text!),
                        async text => _ = (await e.ReplyAsync(text, cancellation)).Response);
                    break;
                case Event.EventOneofCase.SessionChanged when e.Message.SessionChanged.Cause == SessionChanged.Types.Cause.KeyExchange:
                    conversation.BotSessionBegan();
                    done = Enqueue(conversation, e.Conversation, null, null);
                    break;
                case Event.EventOneofCase.SessionChanged:
                    conversation.Fault($"the bot was told that the session is over: {e.Message.SessionChanged.Cause}");
                    break;
                case Event.EventOneofCase.MessageDropped:
                    conversation.Fault($"the bot was told that a message was dropped: {e.Message.MessageDropped.Reason}");
                    break;
                case Event.EventOneofCase.Notice:
                    conversation.Fault($"the bot was told: {e.Message.Notice.Code}");
                    break;
            }
            Acknowledge(e, done);
        }

        void Acknowledge(BotEvent e, Task done)
        {
            if (!unacknowledged.TryGetValue(e.Endpoint, out var order)) unacknowledged[e.Endpoint] = order = new AckOrder();
            order.Add(e, done);
        }
    }

    /// <summary>Sends an unasked message; completes when the contact has read it.</summary>
    public Task SayAsync(LoadConversation conversation, string text, CancellationToken cancellation)
    {
        Task heard = Task.CompletedTask;
        lock (_lock)
        {
            var lane = _lanes[conversation];
            lane.Tail = After(lane.Tail, conversation, () =>
            {
                heard = conversation.BotSays(text);
                return SayAsync(lane.Name);
            });
            return Heard(lane.Tail);
        }

        async Task SayAsync(string name) => _ = (await bot.SendAsync(name, text, cancellation: cancellation)).Response;

        async Task Heard(Task said)
        {
            await said;
            await heard;
        }
    }

    private Task Enqueue(LoadConversation conversation, string name, string? text, Func<string, Task>? say)
    {
        lock (_lock)
        {
            if (!_lanes.TryGetValue(conversation, out var lane)) _lanes[conversation] = lane = new Lane(name);
            if (text is null || say is null) return lane.Tail;
            return lane.Tail = After(lane.Tail, conversation, () =>
            {
                _ = conversation.BotSays(text);
                return say(text);
            });
        }
    }

    private static async Task After(Task before, LoadConversation conversation, Func<Task> say)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await say();
        }
        catch (RelayException e)
        {
            conversation.Fault($"the bot saw an error: {e.Code} {e.Reason}");
        }
        catch (OperationCanceledException)
        {
            // The load has ended, and its results have already been evaluated.
        }
    }

    /// <param name="name">The conversation's resource name.</param>
    private sealed class Lane(string name)
    {
        public string Name => name;
        public Task Tail { get; set; } = Task.CompletedTask;
    }

    /// <summary>Acknowledges events in order, each after its own and all earlier answers were sent.</summary>
    private sealed class AckOrder
    {
        private Task _tail = Task.CompletedTask;

        public void Add(BotEvent e, Task done) => _tail = AfterAsync(_tail, e, done);

        private static async Task AfterAsync(Task before, BotEvent e, Task done)
        {
            await before;
            await done;
            await e.AckAsync();
        }
    }
}
