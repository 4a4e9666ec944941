using System.Diagnostics;
using System.Text;
using Otr.Core;
using Relay.Lab.OtrPeer;

namespace Interop.Tests;

/// <summary>An OTR endpoint behind the line protocol, and all that it has said.</summary>
public abstract class Peer(string name) : IAsyncDisposable
{
    public string Name { get; } = name;

    /// <summary>Everything but the wire messages, oldest first.</summary>
    public List<PeerEvent> Events { get; } = [];

    /// <summary>The wire messages that nobody has taken yet.</summary>
    public Queue<byte[]> Outbox { get; } = new();

    /// <summary>Runs a command that must succeed.</summary>
    public async Task<PeerReply> DoAsync(string command)
    {
        var reply = await TryAsync(command);
        Assert.True(reply.Ok, $"{Name} could not: {Short(command)}\n{string.Join('\n', reply.Events)}");
        return reply;
    }

    /// <summary>Runs a command.</summary>
    public async Task<PeerReply> TryAsync(string command)
    {
        var reply = await ExchangeAsync(command);
        foreach (var e in reply.Events)
            if (e.Kind == "wire") Outbox.Enqueue(e.Data);
            else Events.Add(e);
        return reply;
    }

    public Task<PeerReply> ReceiveAsync(byte[] message) => DoAsync("recv " + Convert.ToBase64String(message));

    public Task<PeerReply> SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text));

    public Task<PeerReply> SendAsync(byte[] text) => DoAsync("send " + Convert.ToBase64String(text));

    /// <summary>The state as it is now.</summary>
    public async Task<PeerEvent> StateAsync()
    {
        var reply = await DoAsync("state");
        return reply.Events.Last(e => e.Kind == "state");
    }

    public IEnumerable<string> Texts(bool encrypted) => Events.Where(e => e.Kind == "plain" && e.Flag("encrypted") == encrypted).Select(e => e.Text);

    public IEnumerable<string> Smp => Events.Where(e => e.Kind == "smp").Select(e => e["what"]!);

    public IEnumerable<string> Codes(string kind) => Events.Where(e => e.Kind == kind).Select(e => e["code"]!);

    public abstract ValueTask DisposeAsync();

    protected abstract Task<PeerReply> ExchangeAsync(string command);

    private static string Short(string command) => command.Length <= 80 ? command : command[..80] + "…";
}

/// <summary>A peer in another process.</summary>
public sealed class ProcessPeer : Peer
{
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(60);
    private readonly Process _process;

    private ProcessPeer(string name, Process process) : base(name) => _process = process;

    public static async Task<ProcessPeer> StartAsync(string name, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            StandardInputEncoding = new UTF8Encoding(false),
            StandardOutputEncoding = Encoding.UTF8,
        };
        var peer = new ProcessPeer(name, Process.Start(start)!);
        var ready = await peer.ReadAsync();
        Assert.Equal("ready", ready.Kind);
        return peer;
    }

    protected override async Task<PeerReply> ExchangeAsync(string command)
    {
        await _process.StandardInput.WriteAsync(command + "\n");
        await _process.StandardInput.FlushAsync();
        var events = new List<PeerEvent>();
        while (true)
        {
            var e = await ReadAsync();
            if (e.Kind == "done") return new PeerReply(e.Flag("ok"), events);
            events.Add(e);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using var patience = new CancellationTokenSource(AnswerTime);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
        }
        _process.Dispose();
    }

    private async Task<PeerEvent> ReadAsync()
    {
        using var patience = new CancellationTokenSource(AnswerTime);
        var line = await _process.StandardOutput.ReadLineAsync(patience.Token);
        return PeerEvent.Parse(line ?? throw new InvalidOperationException($"{Name} has gone."));
    }
}

/// <summary>Otr.Core in this process.</summary>
public sealed class InProcessPeer : Peer
{
    private readonly StringWriter _output = new();
    private readonly LinePeer _peer;

    public InProcessPeer(string name, IRandomSource? random = null) : base(name)
    {
        _peer = new LinePeer(name, _output, random ?? SystemRandom.Instance, TimeProvider.System);
        _output.GetStringBuilder().Clear();
    }

    protected override Task<PeerReply> ExchangeAsync(string command)
    {
        _peer.Execute(command);
        var events = _output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(PeerEvent.Parse).ToList();
        _output.GetStringBuilder().Clear();
        return Task.FromResult(new PeerReply(events[^1].Flag("ok"), events[..^1]));
    }

    public override ValueTask DisposeAsync()
    {
        _peer.Dispose();
        _output.Dispose();
        return ValueTask.CompletedTask;
    }
}
