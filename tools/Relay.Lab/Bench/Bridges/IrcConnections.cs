using System.Diagnostics;
using Google.Protobuf.WellKnownTypes;
using Relay.Bridges;
using Relay.Bridges.Irc;
using Relay.Cli;
using Relay.Client;
using Relay.Lab.Bench.Server;
using Relay.V1;

namespace Relay.Lab.Bench.Bridges;

/// <summary>Many IRC bridges in this process, each with its nick on an ngIRCd and its endpoint's stream to Relay: memory of each.</summary>
internal sealed class IrcConnections(BridgeBenchOptions options) : IAsyncDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);
    private readonly List<BridgeWorker> _workers = [];
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-bench-irc-").FullName;
    private EmbeddedStage? _stage;
    private ChildProgram? _ircd;
    private RelayClient? _client;

    public async Task<ServerRow> RunAsync(string what, CancellationToken cancellation)
    {
        _stage = await EmbeddedStage.StartAsync(cancellation);
        int port = ChildProgram.FreePorts(1)[0];
        _ircd = await StartIrcdAsync(port, cancellation);
        _client = RelayClient.Connect(_stage.Server.Address, RelayKey.Parse(await _stage.CreateBridgeKeyAsync(cancellation)));
        var endpoints = await CreateEndpointsAsync(cancellation);
        // One first, so that what they all share is not counted.
        await ConnectAsync(endpoints.Take(1), port, cancellation);
        long heap = GC.GetTotalMemory(forceFullCollection: true), rss = ProcessTree.ResidentBytes(Environment.ProcessId);
        var start = Stopwatch.GetTimestamp();
        await ConnectAsync(endpoints.Skip(1), port, cancellation);
        var took = Stopwatch.GetElapsedTime(start);
        double more = Math.Max(1, endpoints.Count - 1);
        return new ServerRow(what).Add("connections", _workers.Count)
            .Add("heap_bytes_each", (GC.GetTotalMemory(forceFullCollection: true) - heap) / more, 0)
            .Add("bytes_each", (ProcessTree.ResidentBytes(Environment.ProcessId) - rss) / more, 0)
            .Add("connect_seconds", took.TotalSeconds);
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_workers.Select(w => w.StopAsync(default)));
        foreach (var worker in _workers) worker.Dispose();
        if (_client is not null) await _client.DisposeAsync();
        if (_ircd is not null) await _ircd.DisposeAsync();
        if (_stage is not null) await _stage.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task<IReadOnlyList<(string Name, string Nick)>> CreateEndpointsAsync(CancellationToken cancellation)
    {
        await using var admin = _stage!.ConnectAdmin();
        var endpoints = new List<(string, string)>();
        for (int n = 0; n < options.IrcConnections; n++)
        {
            var nick = $"bot{n}";
            var request = new CreateEndpointRequest { RequestId = nick, EndpointId = nick, Network = "irc", Account = nick, MaxWireBytes = 350 };
            var name = (await admin.CallAsync(o => admin.Endpoints.CreateEndpointAsync(request, o), cancellation)).Name;
            var update = new UpdateEndpointRequest
            {
                Endpoint = new V1.Endpoint { Name = name, SingleLine = true }, UpdateMask = FieldMask.FromString("single_line"),
            };
            await admin.CallAsync(o => admin.Endpoints.UpdateEndpointAsync(update, o), cancellation);
            endpoints.Add((name, nick));
        }
        return endpoints;
    }

    private async Task ConnectAsync(IEnumerable<(string Name, string Nick)> endpoints, int port, CancellationToken cancellation)
    {
        var connected = new List<Task>();
        foreach (var (name, nick) in endpoints)
        {
            var irc = new IrcOptions { Endpoint = name, Host = "127.0.0.1", Port = port, Nick = nick };
            var worker = new BridgeWorker(_client!, new EndpointDirectory(e => e.Name == name ? e.Account : null),
                new IrcNetwork(irc, TimeProvider.System, Random.Shared), new BridgeOptions { Name = "irc" });
            var isConnected = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            worker.HealthChanged += health =>
            {
                if (health.State == BridgeState.Connected) isConnected.TrySetResult();
                else if (health.State is BridgeState.Stopped or BridgeState.Refused)
                    isConnected.TrySetException(new CommandFailure(ExitCode.Failed, $"An IRC bridge did not connect: {health.Reason}"));
            };
            _workers.Add(worker);
            connected.Add(isConnected.Task);
            await worker.StartAsync(cancellation);
        }
        await Task.WhenAll(connected).WaitAsync(s_limit, cancellation);
    }

    private async Task<ChildProgram> StartIrcdAsync(int port, CancellationToken cancellation)
    {
        var file = Path.Combine(_directory, "ngircd.conf");
        await File.WriteAllTextAsync(file, $"""
            [Global]
            Name = irc.example
            Info = For the benchmark
            Listen = 127.0.0.1
            Ports = {port}
            [Limits]
            MaxConnectionsIP = 0
            MaxNickLength = 16
            [Options]
            DNS = no
            Ident = no
            PAM = no

            """, cancellation);
        // It gives up root before it reads its file again.
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode Directories = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
            File.SetUnixFileMode(_directory, Directories);
        }
        return await ChildProgram.StartAsync("ngircd", new ProcessStartInfo("/usr/sbin/ngircd", ["-n", "-f", file]), port, cancellation);
    }
}
