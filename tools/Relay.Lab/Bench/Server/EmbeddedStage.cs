using System.Diagnostics;
using Relay.Client;
using Relay.Lab.Processes;

namespace Relay.Lab.Bench.Server;

/// <summary>A single <c>relay serve</c> process with SQLite.</summary>
internal class EmbeddedStage : BenchStage
{
    // Webhooks are posted to the process of the benchmark.
    private static readonly Dictionary<string, string> s_environment = new() { ["Relay__Webhooks__AllowedNetworks"] = "127.0.0.0/8" };
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-bench-").FullName;
    private string _listen = "127.0.0.1:0";
    private ServerProcess? _server;

    protected EmbeddedStage()
    {
    }

    /// <summary>The stage's temporary directory.</summary>
    protected string DirectoryPath => _directory;

    public string DataDirectory => Path.Combine(_directory, "data");

    public ServerProcess Server => _server ?? throw new InvalidOperationException("The server is not running.");

    protected override IReadOnlyList<Uri> Addresses => [Server.Address];

    protected override RelayKey AdminKey => RelayKey.FromFile(Path.Combine(DataDirectory, Gateway.Auth.AdminKey.FileName));

    public static async Task<EmbeddedStage> StartAsync(CancellationToken cancellation)
    {
        var stage = new EmbeddedStage();
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

    /// <summary>Starts the server, a second time at the same address. Returns the time until it answered.</summary>
    public async Task<TimeSpan> StartServerAsync(CancellationToken cancellation)
    {
        var start = Stopwatch.GetTimestamp();
        _server = await ServerProcess.StartAsync(
            DataDirectory, _listen, Path.Combine(_directory, "server.log"), s_environment, cancellation,
            "--log-level", "Warning", "--http-listen", "127.0.0.1:0");
        _listen = $"127.0.0.1:{_server.Address.Port}";
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Sends SIGKILL.</summary>
    public async Task KillServerAsync()
    {
        await Server.KillAsync();
        await ForgetServerAsync();
    }

    /// <summary>Sends SIGTERM, and waits for the end of the process.</summary>
    public async Task DrainServerAsync(CancellationToken cancellation)
    {
        await Server.DrainAsync(cancellation);
        await ForgetServerAsync();
    }

    public override CpuReading Cpu() => CpuReading.Now([Server.Id], null);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (_server is not null) await ForgetServerAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task ForgetServerAsync()
    {
        await Server.DisposeAsync();
        _server = null;
    }
}
