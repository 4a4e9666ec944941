using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading.Channels;
using Relay.Bridges.Irc;

namespace Relay.Bridges.Tests.Irc;

/// <summary>An IRC server that does what a test says, and what no real server can be made to do.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly X509Certificate2? _certificate;
    private readonly List<ScriptedConnection> _connections = [];

    public ScriptedServer(X509Certificate2? certificate = null)
    {
        _certificate = certificate;
        _listener.Start();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What a bridge is configured with: the nick "bot", and waits that suit a test.</summary>
    public static IrcOptions Options(int port) => new()
    {
        Endpoint = "endpoints/bot", Host = "127.0.0.1", Port = port, Nick = "bot",
        Flood = new FloodProfile { Interval = TimeSpan.FromMilliseconds(20) },
    };

    public IrcOptions Options() => Options(Port);

    public async Task<ScriptedConnection> AcceptAsync()
    {
        var client = await _listener.AcceptTcpClientAsync().WaitAsync(Patience);
        Stream stream = client.GetStream();
        if (_certificate is not null)
        {
            var secure = new SslStream(stream);
            stream = secure;
            await secure.AuthenticateAsServerAsync(_certificate);
        }
        var connection = new ScriptedConnection(stream);
        _connections.Add(connection);
        return connection;
    }

    /// <summary>Accepts the next connection and registers it.</summary>
    public async Task<ScriptedConnection> GreetAsync(string capabilities = "", string isupport = "NICKLEN=9")
    {
        var connection = await AcceptAsync();
        await connection.GreetAsync(capabilities, isupport);
        return connection;
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        foreach (var connection in _connections) await connection.DisposeAsync();
    }
}

/// <summary>One connection of a <see cref="ScriptedServer"/>. It answers PING by itself unless told otherwise.</summary>
internal sealed class ScriptedConnection : IAsyncDisposable
{
    private readonly Stream _stream;
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>(), _pings = Channel.CreateUnbounded<string>();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ScriptedConnection(Stream stream)
    {
        _stream = stream;
        _ = ReadAsync();
    }

    public bool AnswersPings { get; set; } = true;

    /// <summary>The longest line that came, with its end.</summary>
    public int LongestLine { get; private set; }

    /// <summary>The next line that is no PING, or null at the end of the connection.</summary>
    public async Task<string?> TryReadAsync()
    {
        using var patience = new CancellationTokenSource(ScriptedServer.Patience);
        return await _lines.Reader.WaitToReadAsync(patience.Token) ? await _lines.Reader.ReadAsync(patience.Token) : null;
    }

    /// <summary>The next line, which must be this one.</summary>
    public async Task ExpectAsync(string line) => Assert.Equal(line, await TryReadAsync());

    /// <summary>Waits for the oldest PING that is not answered, and answers it. For connections that do not answer by themselves.</summary>
    public async Task AnswerPingAsync()
    {
        using var patience = new CancellationTokenSource(ScriptedServer.Patience);
        await SayAsync($":s PONG s {await _pings.Reader.ReadAsync(patience.Token)}");
    }

    /// <summary>Waits until there is a PING that is not answered.</summary>
    public async Task PingedAsync()
    {
        using var patience = new CancellationTokenSource(ScriptedServer.Patience);
        await _pings.Reader.WaitToReadAsync(patience.Token);
    }

    /// <summary>No line comes for a while.</summary>
    public async Task ExpectSilenceAsync(double seconds = 0.3)
    {
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        Assert.False(_lines.Reader.TryRead(out var line), $"There is a line: {line}");
    }

    public Task SayAsync(string line) => SayBytesAsync(Encoding.UTF8.GetBytes(line + "\r\n"));

    public async Task SayBytesAsync(byte[] bytes)
    {
        await _writing.WaitAsync();
        try
        {
            await _stream.WriteAsync(bytes);
            await _stream.FlushAsync();
        }
        finally
        {
            _writing.Release();
        }
    }

    public async Task GreetAsync(string capabilities = "", string isupport = "NICKLEN=9")
    {
        await ExpectAsync("CAP LS 302");
        await ExpectAsync("NICK :bot");
        await ExpectAsync("USER relay 0 * :Relay");
        await SayAsync($":s CAP * LS :{capabilities}");
        while (await TryReadAsync() is { } line && line != "CAP END")
            await SayAsync($":s CAP * ACK :{line["CAP REQ :".Length..]}");
        await WelcomeAsync("bot", isupport);
    }

    public async Task WelcomeAsync(string nick, string isupport = "NICKLEN=9")
    {
        await SayAsync($":s 001 {nick} :Welcome");
        await SayAsync($":s 005 {nick} {isupport} :are supported by this server");
        await SayAsync($":s 376 {nick} :End of MOTD");
        await ExpectAsync($"USERHOST {nick}");
        await SayAsync($":s 302 {nick} :{nick}=+~relay@127.0.0.1");
        await _asked.Task.WaitAsync(ScriptedServer.Patience);
        await SayAsync(":s PONG s :relay-start");
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        _writing.Dispose();
    }

    private async Task ReadAsync()
    {
        try
        {
            using var reader = new StreamReader(_stream, new UTF8Encoding(false), false, 4096, leaveOpen: true);
            while (await reader.ReadLineAsync() is { } line)
            {
                LongestLine = Math.Max(LongestLine, Encoding.UTF8.GetByteCount(line) + 2);
                // The answer to the first one belongs behind the other words of the greeting.
                if (line == "PING :relay-start") _asked.TrySetResult();
                else if (!line.StartsWith("PING ", StringComparison.Ordinal)) _lines.Writer.TryWrite(line);
                else if (AnswersPings) await SayAsync($":s PONG s {line["PING ".Length..]}");
                else _pings.Writer.TryWrite(line["PING ".Length..]);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The connection is over.
        }
        _lines.Writer.TryComplete();
    }
}

/// <summary>A worker's side of a network: keeps what arrives.</summary>
internal sealed class Inbox : IBridgeInbox
{
    private readonly Channel<InboundText> _texts = Channel.CreateUnbounded<InboundText>();
    private readonly SemaphoreSlim _connected = new(0);

    public void Connected() => _connected.Release();

    public async Task WaitForConnectionAsync() =>
        Assert.True(await _connected.WaitAsync(ScriptedServer.Patience), "The network did not connect.");

    public bool IsConnected => _connected.CurrentCount > 0;

    public ValueTask ReceiveAsync(InboundText text, CancellationToken cancellation) => _texts.Writer.WriteAsync(text, cancellation);

    public void Confirm(string endpoint, string message) => Assert.Fail("IRC has no receipts.");

    public async Task<InboundText> NextAsync() => await _texts.Reader.ReadAsync().AsTask().WaitAsync(ScriptedServer.Patience);

    public async Task<(string Peer, string Text)> NextTextAsync()
    {
        var text = await NextAsync();
        return (text.Peer, Encoding.UTF8.GetString(text.Text.Span));
    }

    public bool IsEmpty => _texts.Reader.Count == 0;
}

/// <summary>A network that runs until the test ends.</summary>
internal sealed class RunningNetwork : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private ulong _sequence;

    public RunningNetwork(IrcOptions options, Microsoft.Extensions.Logging.ILogger? log = null)
    {
        Network = new IrcNetwork(options, TimeProvider.System, new Random(7), log);
        Ended = Network.RunAsync(Inbox, _stop.Token);
    }

    public IrcNetwork Network { get; }

    public Inbox Inbox { get; } = new();

    public Task<ConnectionEnd> Ended { get; }

    public async Task<ConnectionEnd> EndAsync() => await Ended.WaitAsync(ScriptedServer.Patience);

    public async Task<Carried> CarryAsync(string peer, string text)
    {
        var outbound = new OutboundText("endpoints/bot", peer, ++_sequence, Encoding.UTF8.GetBytes(text));
        return await Network.CarryAsync(outbound, _stop.Token).WaitAsync(ScriptedServer.Patience);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await ((Task)Ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }
}
