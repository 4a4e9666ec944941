using System.Diagnostics;
using Relay.Lab.Bench.Server;
using Relay.Lab.Processes;

namespace Relay.Lab.Bench.Bridges;

/// <summary><c>relay serve</c>, <c>relay bridge xmpp</c> and Prosody, each in a separate process. Has one line.</summary>
internal sealed class XmppBridgeStage : EmbeddedStage
{
    private const string BotDomain = "bots.example", Secret = "a secret of the benchmark";
    private readonly int _port = ChildProgram.FreePorts(1)[0];
    private ChildProgram? _prosody, _bridge;

    private XmppBridgeStage()
    {
    }

    /// <summary>From the start of the bridge's process until it is connected, with all endpoints listed.</summary>
    public TimeSpan BridgeStart { get; private set; }

    public int BridgeId => _bridge?.Id ?? throw new InvalidOperationException("The bridge is not running.");

    public static new async Task<XmppBridgeStage> StartAsync(CancellationToken cancellation)
    {
        var stage = new XmppBridgeStage();
        try
        {
            await stage.StartServerAsync(cancellation);
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    public override CpuReading Cpu() => base.Cpu() with
    {
        Bridge = ProcessTree.CpuMicroseconds([BridgeId]), ChatServer = ProcessTree.CpuMicroseconds([_prosody!.Id]),
    };

    public override async ValueTask DisposeAsync()
    {
        if (_bridge is not null) await _bridge.DisposeAsync();
        if (_prosody is not null) await _prosody.DisposeAsync();
        await base.DisposeAsync();
    }

    protected override (string Network, string Account) AddressOf(string endpointId) => ("xmpp", $"{endpointId}@{BotDomain}");

    protected override async ValueTask<ILoadCarrier> CarrierAsync(
        Uri[] addresses, string bridgeKey, IReadOnlyList<string> endpoints, CancellationToken cancellation)
    {
        _prosody = await StartProsodyAsync(cancellation);
        string secretFile = Path.Combine(DirectoryPath, "component.secret"), keyFile = Path.Combine(DirectoryPath, "bridge.key");
        await File.WriteAllTextAsync(secretFile, Secret, cancellation);
        await File.WriteAllTextAsync(keyFile, bridgeKey, cancellation);
        var start = Stopwatch.GetTimestamp();
        _bridge = await ChildProgram.StartAsync("relay bridge xmpp", RelayProgram.StartInfo(
            "bridge", "xmpp", "--component", $"127.0.0.1:{_port}", "--domain", BotDomain, "--secret-file", secretFile, "--key-file", keyFile,
            "--server", addresses[0].GetLeftPart(UriPartial.Authority), "--json"), "\"connected\"", cancellation);
        BridgeStart = Stopwatch.GetElapsedTime(start);
        return await XmppCarrier.ConnectAsync(_port, Secret, BotDomain, cancellation);
    }

    private async Task<ChildProgram> StartProsodyAsync(CancellationToken cancellation)
    {
        var directory = Directory.CreateDirectory(Path.Combine(DirectoryPath, "prosody")).FullName;
        var file = Path.Combine(directory, "prosody.cfg.lua");
        await File.WriteAllTextAsync(file, $$"""
            run_as_root = true
            daemonize = false
            pidfile = "{{directory}}/prosody.pid"
            data_path = "{{directory}}/data"
            log = { warn = "{{directory}}/prosody.log" }
            c2s_ports = { }
            c2s_direct_tls_ports = { }
            s2s_ports = { }
            s2s_direct_tls_ports = { }
            http_ports = { }
            https_ports = { }
            modules_disabled = { "s2s", "c2s", "tls" }
            component_ports = { {{_port}} }
            component_interfaces = { "127.0.0.1" }
            VirtualHost "server.example"
            Component "{{BotDomain}}"
                component_secret = "{{Secret}}"
            Component "{{XmppCarrier.Domain}}"
                component_secret = "{{Secret}}"

            """, cancellation);
        return await ChildProgram.StartAsync(
            "prosody", new ProcessStartInfo("/usr/bin/prosody", ["-F", "--config", file]), _port, cancellation);
    }
}
