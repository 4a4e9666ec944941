using System.Text;
using Relay.Proxy.Contacts;

namespace Relay.Proxy.Irc;

/// <summary>One client's connection and its connection to the network, from the client's nick on.</summary>
internal sealed partial class IrcProxySession : IChatView
{
    private readonly IrcProxyOptions _options;
    private readonly PrivateContacts _contacts;
    private readonly NickBook _nicks;
    private readonly ClientLogin _login;
    private readonly CancellationTokenSource _over;
    private readonly WriteQueue _toClient = new(), _toServer = new();
    private readonly WirePacer _pacer;
    private readonly SaslLogin _sasl;
    private readonly OutboundLine _outbound;
    private readonly ArrivedLine _arrived;
    private readonly ServerClock _clock;
    private readonly EarlyNegotiation? _early;
    private bool _isRegistered, _negotiates, _hasToldUnsound, _logsIn;
    private long _made;

    public IrcProxySession(
        IrcProxyOptions options, PrivateContacts contacts, NickBook nicks, ClientLogin login, TimeProvider time, CancellationTokenSource over)
    {
        (_options, _contacts, _nicks, _login, _over) = (options, contacts, nicks, login, over);
        _pacer = new WirePacer(_toServer, options.LineInterval, time);
        (_outbound, _arrived) = (new OutboundLine(nicks), new ArrivedLine(nicks, _clock = new ServerClock(time)));
        _early = login.Early;
        _negotiates = _early is not null;
        _sasl = _early?.Login ?? new SaslLogin(isOffered: false);
    }

    /// <summary>Carries lines both ways until one side ends.</summary>
    /// <param name="first">What the client has said that is for the network.</param>
    public async Task RunAsync(
        Stream client, IrcLineReader clientReader, IReadOnlyList<RawLine> first, Stream server, IrcLineReader serverReader, CancellationToken cancellation)
    {
        lock (_contacts.Gate)
        {
            _nicks.Restart();
            if (_early is not null) AddToServer("CAP LS 302");
            foreach (var line in first) Handle(line);
        }
        Task[] writers = [_toClient.RunAsync(client, cancellation), _toServer.RunAsync(server, cancellation)];
        Task[] readers = [FromClientAsync(clientReader, cancellation), FromServerAsync(serverReader, cancellation)];
        var pacing = _pacer.RunAsync(cancellation);
        try
        {
            await await Task.WhenAny([.. readers, .. writers]);
        }
        finally
        {
            lock (_contacts.Gate) _contacts.Detach(this);
            _toClient.End();
            _toServer.End();
            // What waits is written, but nobody is waited for long.
            await Task.WhenAny(Task.WhenAll(writers), Task.Delay(ProxyLimits.LastWrites, CancellationToken.None));
            await _over.CancelAsync();
            await Task.WhenAll([.. readers, pacing]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Notice(string text)
    {
        foreach (var line in text.Split('\n'))
        {
            foreach (var piece in LineCutter.Cut(IrcText.Clean(line), ProxyLimits.IrcShownBytes))
                AddToClient($":{ServiceNick.Prefix} PRIVMSG {_nicks.Own} :{piece}");
        }
    }

    public void Deliver(string peer, MarkedText text, object? origin)
    {
        var (tags, prefix, command) = origin is RawLine raw ? (raw.ServerTags, raw.Line.Prefix, raw.Line.Command)
            : ("", _nicks.PrefixOf(peer), "PRIVMSG");
        foreach (var line in text.AsLines(ProxyLimits.IrcShownBytes)) AddToClient($"{tags}:{prefix} {command} {_nicks.Own} :{line}");
    }

    public void SendWire(string peer, string wire, string? id, Action? written) =>
        _pacer.Add(Bytes($"PRIVMSG {_nicks.Spelling(peer)} :{IrcText.Clean(wire)}"), written);

    public void Refuse(string peer, string id, string reason) => AddToClient($":{ServiceNick.Host} 531 {_nicks.Own} {peer} :{IrcText.Clean(reason)}");

    public void Close()
    {
        AddToClient("ERROR :OTR proxy: logged off.");
        // Behind the messages that end the sessions.
        _pacer.Add(Bytes("QUIT"), _toClient.End);
    }

    private void AddToClient(string line) => _toClient.Add(Bytes(line));

    private void AddToServer(string line) => _toServer.Add(Bytes(line));

    private static byte[] Bytes(string line) => Encoding.UTF8.GetBytes(line + "\r\n");

    private static void Pass(RawLine line, WriteQueue to) => to.Add([.. line.Bytes, (byte)'\r', (byte)'\n']);

    private async Task FromClientAsync(IrcLineReader reader, CancellationToken cancellation)
    {
        long dropped = 0;
        while (true)
        {
            await _toServer.HasRoomAsync(cancellation);
            await _pacer.HasRoomAsync(cancellation);
            if (await reader.ReadAsync(cancellation) is not { } line) return;
            var raw = new RawLine(reader.Bytes.ToArray(), line);
            lock (_contacts.Gate)
            {
                if (reader.Dropped > dropped) Notice("A line was NOT sent: it was too long, or had no command.");
                dropped = reader.Dropped;
                FromClient(raw);
            }
        }
    }

    private async Task FromServerAsync(IrcLineReader reader, CancellationToken cancellation)
    {
        while (true)
        {
            await _toClient.HasRoomAsync(cancellation);
            if (await reader.ReadAsync(cancellation) is not { } line)
            {
                if (reader.IsEndless) AddToClient("ERROR :OTR proxy: the server sent a line without an end.");
                return;
            }
            var raw = new RawLine(reader.Bytes.ToArray(), line);
            lock (_contacts.Gate) FromServer(raw);
        }
    }
}
