using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Relay.Bridges.Irc;

/// <summary>
/// One connection to a server, from its first line to its last: a reader that acts upon lines, and a writer that sends answers at once and
/// wire text as fast as the flood rule permits.
/// </summary>
internal sealed partial class IrcSession
{
    private static readonly TimeSpan s_goodbye = TimeSpan.FromSeconds(1);
    private readonly IrcOptions _options;
    private readonly Stream _stream;
    private readonly TimeProvider _time;
    private readonly string _id;
    private readonly ILogger _log;
    // Guards all that follows.
    private readonly Lock _lock = new();
    private readonly ServerFeatures _features = new();
    private readonly Registration _registration;
    private readonly OwnPrefix _own;
    private readonly Queue<string> _urgent = new();
    private readonly SendQueue _queue = new();
    private readonly FloodControl _flood;
    private readonly ServerClock _clock;
    private readonly Acknowledgements _acknowledgements = new();
    private readonly Channel<InboundText> _received = Channel.CreateBounded<InboundText>(IrcLimits.InboxDepth);
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private PeerTracking? _peers;
    private InboundRules? _rules;
    private ServicesLogin? _services;
    private ConnectionEnd? _end;
    private bool _isReady, _wasConnected, _isClosed, _hasAskedForLife;
    private int _waits;
    private long _messages;
    private readonly long _begun;
    private long _heard, _nickAsked;

    /// <param name="id">Differs for each connection; message ids begin with it.</param>
    public IrcSession(IrcOptions options, Stream stream, TimeProvider time, string id, ILogger log)
    {
        (_options, _stream, _time, _id, _log) = (options, stream, time, id, log);
        _registration = new Registration(options, _features);
        _own = new OwnPrefix(options.Nick);
        _flood = new FloodControl(options.Flood, time);
        _clock = new ServerClock(time);
        _begun = _heard = _nickAsked = time.GetTimestamp();
    }

    /// <summary>The server asked for TLS on this port; null: it did not.</summary>
    public int? SecurePort => _registration.SecurePort;

    /// <summary>The server asked for another server; null: it did not.</summary>
    public Redirect? Redirect => _registration.Redirect;

    /// <summary>Runs until the connection ends, and says why it did.</summary>
    public async Task<ConnectionEnd> RunAsync(IBridgeInbox inbox, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        foreach (var line in _registration.Begin()) _urgent.Enqueue(line);
        var writer = WriteAsync(stop.Token);
        Task[] tasks = [ReadAsync(inbox, stop.Token), writer, GiveAsync(inbox, stop.Token)];
        var first = await Task.WhenAny(tasks);
        if (!cancellation.IsCancellationRequested)
        {
            // The writer ends by itself once its last answers have left.
            End(new ConnectionEnd("The connection has ended.", ConnectionEndKind.Lost));
            _wake.Writer.TryWrite(true);
            await Task.WhenAny(writer, Task.Delay(s_goodbye, _time, CancellationToken.None));
        }
        await stop.CancelAsync();
        foreach (var task in tasks) await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_lock)
        {
            _isClosed = true;
            _acknowledgements.Lose();
            _queue.Lose();
        }
        if (cancellation.IsCancellationRequested)
        {
            await SayGoodbyeAsync();
            cancellation.ThrowIfCancellationRequested();
        }
        // What a network does is a value; anything else that a task failed with is a bug.
        if (first.IsFaulted) await first;
        return _end!;
    }

    /// <summary>Sends one wire text, and completes when the server has it.</summary>
    public async Task<Carried> CarryAsync(OutboundText text, CancellationToken cancellation)
    {
        SentText sent;
        lock (_lock)
        {
            if (_isClosed || _peers is null || !_isReady) return Carried.Unknown;
            var kind = WireText.Classify(text.Text.Span);
            var obstacle = _peers.Target(text.Peer, kind, out var nick);
            if (obstacle != PeerObstacle.None) return Refuse(Failures.PeerUnavailable, obstacle == PeerObstacle.Gone
                ? "the peer is not there, or its nick belongs to somebody else now."
                : "the peer was gone, and has not shown since that it is the same one.");
            var cut = OutboundLines.Cut(text.Text.Span, LineBudget.TextBytes(_own, nick, _features));
            if (cut.Refusal is { } why) return Refuse(Failures.TooLarge, why);
            // Blanks only: there is nothing that IRC could carry.
            if (cut.Lines.Count == 0) return Carried.Taken;
            sent = new SentText(text.Peer, kind, cut.Lines);
            _queue.Add(sent);
        }
        _wake.Writer.TryWrite(true);
        return await sent.Result.WaitAsync(cancellation);
    }

    private bool HasNick => _features.CaseMapping.Equals(_own.Nick, _options.Nick);

    private Carried Refuse(string failure, string reason)
    {
        _log.TextRefused(_options.Endpoint, reason);
        return Carried.RefusedFor(failure);
    }

    private void End(ConnectionEnd end)
    {
        lock (_lock) _end ??= end;
    }

    private async Task ReadAsync(IBridgeInbox inbox, CancellationToken cancellation)
    {
        var reader = new IrcLineReader(_stream);
        try
        {
            while (await reader.ReadAsync(cancellation) is { } line)
            {
                InboundText? received;
                bool connected;
                lock (_lock)
                {
                    _heard = _time.GetTimestamp();
                    _hasAskedForLife = false;
                    received = Handle(line);
                    connected = _isReady && HasNick && !_wasConnected;
                    _wasConnected |= connected;
                    if (_end is not null) return;
                }
                if (connected) inbox.Connected();
                _wake.Writer.TryWrite(true);
                if (received is { } text) await _received.Writer.WriteAsync(text, cancellation);
            }
            End(new ConnectionEnd(reader.IsEndless
                ? $"The server sent {IrcLineLimits.EndlessBytes} bytes without the end of a line." : "The server closed the connection.",
                ConnectionEndKind.Lost));
        }
        catch (IOException e)
        {
            End(new ConnectionEnd($"The connection broke: {e.Message}", ConnectionEndKind.Lost));
        }
    }

    private async Task GiveAsync(IBridgeInbox inbox, CancellationToken cancellation)
    {
        await foreach (var text in _received.Reader.ReadAllAsync(cancellation)) await inbox.ReceiveAsync(text, cancellation);
    }

    private async Task WriteAsync(CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                string? line;
                TimeSpan wait;
                lock (_lock)
                {
                    line = NextLine(out wait);
                    if (line is null && _end is not null) return;
                }
                if (line is null)
                {
                    await WaitAsync(wait, cancellation);
                    continue;
                }
                await _stream.WriteAsync(Encode(line), cancellation);
                await _stream.FlushAsync(cancellation);
            }
        }
        catch (IOException e)
        {
            End(new ConnectionEnd($"The connection broke: {e.Message}", ConnectionEndKind.Lost));
        }
    }

    /// <summary>Waits until there may be something to write.</summary>
    private async Task WaitAsync(TimeSpan wait, CancellationToken cancellation)
    {
        using var timer = new CancellationTokenSource(wait, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timer.Token);
        try
        {
            await _wake.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // The time has come.
        }
    }

    private async Task SayGoodbyeAsync()
    {
        try
        {
            using var limit = new CancellationTokenSource(s_goodbye, _time);
            await _stream.WriteAsync(Encode("QUIT"), limit.Token);
            await _stream.FlushAsync(limit.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or InvalidOperationException)
        {
            // The server finds out by itself.
        }
    }

    /// <summary>The bytes of a line with its end. A line that is too long would close the connection or be cut in silence.</summary>
    private byte[] Encode(string line)
    {
        var withoutTags = line[0] == '@' ? line.AsSpan(line.IndexOf(' ', StringComparison.Ordinal) + 1) : line;
        if (Encoding.UTF8.GetByteCount(withoutTags) + 2 > _features.LineBytes || line.AsSpan().IndexOfAny("\r\n\0") >= 0)
            throw new InvalidOperationException("A line is too long, or has a line end inside.");
        return Encoding.UTF8.GetBytes(line + "\r\n");
    }

    private string NextMessageId() => string.Create(CultureInfo.InvariantCulture, $"{_id}-{++_messages}");
}
