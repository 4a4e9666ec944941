using System.CommandLine;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;

namespace Relay.Cli.Serve;

/// <summary><c>relay serve</c>: the embedded server or a node of a cluster, until a signal asks it to drain.</summary>
internal static class ServeCommand
{
    private static readonly TimeSpan s_closeTimeout = TimeSpan.FromSeconds(5);
    private static readonly Option<string?> s_readyFile = new("--ready-file") { Description = "Written once the server answers: its address, one line.", HelpName = "FILE" };

    public static Command Create()
    {
        var command = new Command("serve", "Run a server: SQLite in a data directory, or a node of a cluster over PostgreSQL and RabbitMQ; loopback unless told otherwise. SIGTERM drains it, a second one ends it at once. 'relay config show' tells every setting and where it came from.")
        {
            s_readyFile,
        };
        ServerSwitches.AddAllTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = ServerSwitches.Directory, EnvironmentName = ServerSwitches.EnvironmentName });
        builder.AddRelay(ServerSwitches.Given(parsed));
        // The signals are the command's: the second one must end the process.
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        var app = builder.Build();
        app.MapRelay();
        bool inTime = true;
        try
        {
            await app.StartRelayAsync(stop);
            Announce(parsed, app.Services);
            await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await app.StopAsync(CancellationToken.None);
            inTime = app.Services.GetRequiredService<ServerInfo>().DrainedInTime;
            return inTime ? ExitCode.Ok : ExitCode.Failed;
        }
        finally
        {
            var disposed = app.DisposeAsync().AsTask();
            // What did not end in its time does not end here either, and the process is about to go.
            if (inTime) await disposed;
            else await Task.WhenAny(disposed, Task.Delay(s_closeTimeout, CancellationToken.None));
        }
    }

    private static void Announce(ParseResult parsed, IServiceProvider services)
    {
        var (listeners, info, options) = (services.GetRequiredService<Listeners>(), services.GetRequiredService<ServerInfo>(), services.GetRequiredService<IOptions<RelayOptions>>().Value);
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
                ["healthAddress"] = listeners.HealthAddress?.GetLeftPart(UriPartial.Authority),
                ["node"] = options.IsClustered ? options.Cluster.Host : null,
                ["processId"] = Environment.ProcessId,
                ["version"] = ServerInfo.Version,
            });
            return;
        }
        Console.Out.WriteLine($"Relay {ServerInfo.Version} listens on {address}");
        if (options.IsClustered) Console.Out.WriteLine($"It is node {Report.Safe(options.Cluster.Host)} of a cluster of {options.Conversations.Shards} shards.");
        Console.Out.WriteLine($"Data directory: {options.DataDirectory}");
        if (info.MadeAdminKey) Console.Out.WriteLine($"This is its first start: the admin key is in {adminKey} (readable by you only).");
        Console.Out.Flush();
    }

    /// <summary>Whole or not at all: whoever waits for the file may read it the moment it is there.</summary>
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
