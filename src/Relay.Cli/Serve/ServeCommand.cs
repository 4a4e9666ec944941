using System.CommandLine;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;

namespace Relay.Cli.Serve;

/// <summary>The command <c>relay serve</c>: runs a single server or a node of a cluster until a signal asks it to drain.</summary>
internal static class ServeCommand
{
    private static readonly TimeSpan s_closeTimeout = TimeSpan.FromSeconds(5);
    private static readonly Option<string?> s_readyFile = new("--ready-file")
    {
        Description = "File to write when the server is ready; it contains the server's address in one line.",
        HelpName = "FILE",
    };

    public static Command Create()
    {
        var command = new Command("serve", "Run a server with SQLite in a data directory, or a node of a cluster with PostgreSQL. "
            + "It listens on loopback by default. SIGTERM drains it; a second SIGTERM ends it immediately. "
            + "'relay config show' shows every setting and its source.")
        {
            s_readyFile,
        };
        ServerSwitches.AddAllTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        var builder = WebApplication.CreateEmptyBuilder(
            new WebApplicationOptions { ContentRootPath = ServerSwitches.Directory, EnvironmentName = ServerSwitches.EnvironmentName });
        var hosted = ReadBridges(parsed);
        builder.AddRelay(ServerSwitches.Given(parsed));
        // Created later, once their server's address is known.
        HostedBridges? bridges = null;
        HostedBridges.AddHealth(builder.Services, hosted, name => bridges?.HealthOf(name));
        // RelayCommand handles the signals, so that a second one ends the process.
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        var app = builder.Build();
        app.MapRelay();
        bool inTime = true;
        try
        {
            await app.StartRelayAsync(stop);
            await using var running = bridges = new HostedBridges(hosted, app.Services);
            Announce(parsed, app.Services);
            await using var notices = new ServiceNotices();
            notices.Ready(app.Services.GetRequiredService<TimeProvider>());
            await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            notices.Stopping();
            // Before the server drains: their last acknowledgements are still taken, and they do not see it go away.
            await bridges.DisposeAsync();
            await app.StopAsync(CancellationToken.None);
            inTime = app.Services.GetRequiredService<ServerInfo>().DrainedInTime;
            return inTime ? ExitCode.Ok : ExitCode.Failed;
        }
        finally
        {
            var disposed = app.DisposeAsync().AsTask();
            // Work that did not finish within the drain timeout may never finish, so disposal is not awaited for long.
            if (inTime) await disposed;
            else await Task.WhenAny(disposed, Task.Delay(s_closeTimeout, CancellationToken.None));
        }
    }

    /// <summary>Reads the bridges before anything is opened, and tells their mistakes together with the server's.</summary>
    private static IReadOnlyList<HostedBridge> ReadBridges(ParseResult parsed)
    {
        using var configuration = ServerSwitches.Configuration(parsed);
        var (bridges, mistakes) = HostedBridge.Check(configuration);
        return mistakes.Count > 0 ? throw new RelayConfigurationException(mistakes) : bridges;
    }

    private static void Announce(ParseResult parsed, IServiceProvider services)
    {
        var listeners = services.GetRequiredService<Listeners>();
        var info = services.GetRequiredService<ServerInfo>();
        var options = services.GetRequiredService<IOptions<RelayOptions>>().Value;
        var address = listeners.Address.GetLeftPart(UriPartial.Authority);
        var adminKey = options.AdminKeyFile ?? Path.Combine(options.DataDirectory, AdminKey.FileName);
        if (parsed.GetValue(s_readyFile) is { } file) WriteReadyFile(file, address);
        if (parsed.GetValue(CommonOptions.Json))
        {
            Report.JsonLine(new JsonObject
            {
                ["event"] = "ready",
                ["address"] = address,
                ["dataDirectory"] = options.DataDirectory,
                ["adminKeyFile"] = adminKey,
                ["madeAdminKey"] = info.MadeAdminKey,
                ["httpAddress"] = listeners.HttpAddress?.GetLeftPart(UriPartial.Authority),
                ["healthAddress"] = listeners.HealthAddress?.GetLeftPart(UriPartial.Authority),
                ["node"] = options.IsClustered ? options.Node : null,
                ["processId"] = Environment.ProcessId,
                ["version"] = ServerInfo.Version,
            });
            return;
        }
        Console.Out.WriteLine($"Relay {ServerInfo.Version} listens on {address}");
        if (listeners.HttpAddress is { } http) Console.Out.WriteLine($"HTTP/JSON: {http.GetLeftPart(UriPartial.Authority)}/v1");
        if (options.IsClustered)
            Console.Out.WriteLine($"This is node {Report.Safe(options.Node)} of a cluster with {options.Conversations.Shards} shards.");
        Console.Out.WriteLine($"Data directory: {options.DataDirectory}");
        if (info.MadeAdminKey) Console.Out.WriteLine($"First start: the admin key was created in {adminKey} (readable by you only).");
        Console.Out.Flush();
    }

    /// <summary>Writes the file atomically, because a waiting process may read it as soon as it exists.</summary>
    private static void WriteReadyFile(string file, string address)
    {
        var temporary = file + ".new";
        File.WriteAllText(temporary, address + "\n");
        File.Move(temporary, file, overwrite: true);
    }

    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
