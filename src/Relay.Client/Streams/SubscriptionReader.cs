using System.Threading.Channels;
using Grpc.Core;
using Relay.V1;

namespace Relay.Client.Streams;

/// <summary>
/// Reads one subscription, and reconnects: by the stream <c>Subscribe</c>, or by pulls where the server, or a proxy before it, has no such
/// stream. One consumer takes the events; settlements may come from anywhere.
/// </summary>
/// <param name="credit">The number of events that may be unsettled on the stream.</param>
/// <param name="room">The number of events that the consumer has room for, when it waits: what a pull asks for.</param>
/// <param name="heard">Is called whenever the server shows that it is there.</param>
/// <param name="failed">Is called with what is known when an attempt to reach it has failed.</param>
internal sealed class SubscriptionReader(
    Bot bot, RelayClient client, string name, int credit, Func<int> room, Action? heard = null, Action<RelayException?>? failed = null)
{
    /// <summary>The longest wait of one call that takes events.</summary>
    public static readonly TimeSpan PullWait = TimeSpan.FromSeconds(15);
    /// <summary>The time after which the stream is tried again: a server may be upgraded under a bot that runs for years.</summary>
    public static readonly TimeSpan StreamRetry = TimeSpan.FromMinutes(10);
    private readonly Channel<BotEvent> _events = Channel.CreateUnbounded<BotEvent>();
    private readonly Outgoing _outgoing = new(name, credit, new CallSettler(client));
    private readonly Wakeup _wanted = new();
    private readonly CancellationTokenSource _paused = new();
    private volatile bool _isWaiting;

    /// <summary>Takes the next event.</summary>
    /// <exception cref="RelayException">The server refused permanently.</exception>
    public async ValueTask<BotEvent> ReadAsync(CancellationToken cancellation)
    {
        while (true)
        {
            if (!_events.Reader.TryRead(out var e)) e = await WaitAsync(cancellation);
            _outgoing.Taken();
            // The end of its stream has given it back, and it comes again.
            if (!e.IsGivenBack) return e;
        }
    }

    /// <summary>Lets no further event come, while those that were delivered may be settled.</summary>
    public void Pause()
    {
        _outgoing.Pause();
        _paused.Cancel();
    }

    /// <summary>Runs until it is closed, or the server refuses permanently, which <see cref="ReadAsync"/> tells.</summary>
    public async Task RunAsync(CancellationToken closing)
    {
        var stream = new StreamLoop<SubscribeRequest, SubscribeResponse>(
            client.Options, client.Servers, o => client.Subscriptions.Subscribe(o), _outgoing, HandleAsync, failed);
        try
        {
            while (!closing.IsCancellationRequested && !_outgoing.IsPaused)
            {
                try
                {
                    await stream.RunAsync(closing);
                }
                catch (RelayException e) when (e.Code == StatusCode.Unimplemented)
                {
                    await PullAsync(closing);
                }
            }
            _events.Writer.TryComplete();
        }
        catch (OperationCanceledException) when (closing.IsCancellationRequested || _outgoing.IsPaused)
        {
            _events.Writer.TryComplete();
        }
        catch (Exception e)
        {
            _events.Writer.TryComplete(e);
        }
    }

    private async ValueTask<BotEvent> WaitAsync(CancellationToken cancellation)
    {
        _isWaiting = true;
        _wanted.Set();
        try
        {
            return await _events.Reader.ReadAsync(cancellation);
        }
        catch (ChannelClosedException closed)
        {
            throw closed.InnerException as RelayException ?? closed.InnerException ?? new OperationCanceledException("The reader was closed.");
        }
        finally
        {
            _isWaiting = false;
        }
    }

    private ValueTask<Next> HandleAsync(SubscribeResponse response, CancellationToken closing)
    {
        heard?.Invoke();
        switch (response.MessageCase)
        {
            case SubscribeResponse.MessageOneofCase.Draining:
                return ValueTask.FromResult(Next.Reconnect);
            case SubscribeResponse.MessageOneofCase.Settled:
                _outgoing.Connection!.Confirm(response.Settled);
                break;
            case SubscribeResponse.MessageOneofCase.Event:
                _outgoing.Given();
                _events.Writer.TryWrite(BotEvent.Of(bot, response.Event, _outgoing.Connection!));
                break;
        }
        return ValueTask.FromResult(Next.Continue);
    }

    /// <summary>Pulls while the consumer waits for an event, until the stream is worth another attempt.</summary>
    private async Task PullAsync(CancellationToken closing)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(closing, _paused.Token);
        long begun = client.Options.Time.GetTimestamp();
        while (client.Options.Time.GetElapsedTime(begun) < StreamRetry)
        {
            while (!_isWaiting) await _wanted.WaitAsync(either.Token);
            var request = new PullSubscriptionRequest
            {
                Name = name, MaxEvents = Math.Max(1, room()), Wait = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(PullWait),
            };
            try
            {
                var page = await client.CallAsync(o => client.Subscriptions.PullSubscriptionAsync(request, o), either.Token);
                heard?.Invoke();
                // Before it gets them: when it waits again is its own word.
                if (page.Events.Count > 0) _isWaiting = false;
                foreach (var e in page.Events)
                {
                    _outgoing.Given();
                    _events.Writer.TryWrite(BotEvent.Of(bot, e, _outgoing.Calls));
                }
            }
            catch (RelayException e) when (e.IsPassing)
            {
                // As a stream does, it goes on trying, however long the server is away.
                failed?.Invoke(e);
            }
        }
    }

    /// <summary>
    /// What the stream sends. The consumer may be slower than the time for acknowledgements, after which an event takes no credit: the
    /// credit is withdrawn while more than it wait here, so that they are never more than twice as many.
    /// </summary>
    private sealed class Outgoing(string name, int credit, ISettler calls) : IOutgoing<SubscribeRequest>
    {
        private readonly Lock _lock = new();
        private readonly Wakeup _wakeup = new();
        private int _waiting, _granted;
        private bool _isAttached, _isPaused;

        public SubscribeConnection? Connection { get; private set; }

        public ISettler Calls => calls;

        public bool IsPaused
        {
            get
            {
                lock (_lock) return _isPaused;
            }
        }

        public bool IsWanted => !IsPaused;

        public void Restart()
        {
            End();
            lock (_lock) _isAttached = false;
            Connection = new SubscribeConnection(calls, _wakeup);
        }

        public void End() => Connection?.End();

        public SubscribeRequest? Next()
        {
            lock (_lock)
            {
                if (!_isAttached)
                {
                    _isAttached = true;
                    _granted = credit;
                    return new SubscribeRequest { Attach = new AttachReader { Name = name, Credit = credit } };
                }
                int wanted = _isPaused || _waiting > credit ? 0 : _waiting == 0 ? credit : _granted;
                if (wanted != _granted) return new SubscribeRequest { Credit = _granted = wanted };
            }
            return Connection!.Next();
        }

        public ValueTask WaitAsync(CancellationToken cancellation) => _wakeup.WaitAsync(cancellation);

        public void Given() => Count(1);

        public void Taken() => Count(-1);

        public void Pause()
        {
            lock (_lock) _isPaused = true;
            _wakeup.Set();
        }

        private void Count(int change)
        {
            bool matters;
            lock (_lock)
            {
                _waiting += change;
                matters = _waiting > credit || (_waiting == 0 && _granted == 0);
            }
            if (matters) _wakeup.Set();
        }
    }
}
