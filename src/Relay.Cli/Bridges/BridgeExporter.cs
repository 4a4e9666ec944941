using System.CommandLine;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Relay.Bridges;
using Relay.Gateway.Hosting;
using Relay.Gateway.Telemetry;

namespace Relay.Cli.Bridges;

/// <summary>
/// Exports the metrics of a bridge that is a process of its own: for Prometheus on a port, and by OTLP as OpenTelemetry's variables say.
/// </summary>
internal static class BridgeExporter
{
    private static readonly Option<string?> s_listen = new("--metrics-listen")
    {
        Description = "Address and port for metrics over plain HTTP: /metrics only. They name no address and hold no text, but need no key.",
        HelpName = "ADDRESS:PORT",
    };

    /// <summary>Adds the switch to a command.</summary>
    public static void AddTo(Command command) => command.Options.Add(s_listen);

    /// <summary>Starts to export; before the bridge, whose counters begin at zero then.</summary>
    /// <returns>Null if nothing is exported.</returns>
    /// <exception cref="CommandFailure">The address cannot be listened on.</exception>
    public static async Task<IHost?> StartAsync(ParseResult parsed, string bridge, CancellationToken cancellation)
    {
        var address = Listen(parsed.GetValue(s_listen));
        IHostApplicationBuilder builder = address is null
            ? Host.CreateEmptyApplicationBuilder(null) : WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Configuration.AddEnvironmentVariables();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        var source = new TelemetrySource("relay-bridge", ServerInfo.Version, $"{Environment.MachineName}/{bridge}")
        {
            Meters = [BridgeWorker.MeterName, "System.Runtime"],
        };
        if (!TelemetryExport.Add(builder.Services, builder.Configuration, source, address is not null)) return null;
        var host = builder is WebApplicationBuilder web ? Serve(web, address!) : ((HostApplicationBuilder)builder).Build();
        try
        {
            await host.StartAsync(cancellation);
            return host;
        }
        catch (IOException e)
        {
            host.Dispose();
            throw new CommandFailure(ExitCode.Failed, $"--metrics-listen: {address} cannot be listened on.",
                "Is another program using the port? Choose another one.", inner: e);
        }
    }

    private static WebApplication Serve(WebApplicationBuilder builder, IPEndPoint address)
    {
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(address));
        var app = builder.Build();
        app.UseOpenTelemetryPrometheusScrapingEndpoint();
        return app;
    }

    private static IPEndPoint? Listen(string? text)
    {
        if (text is null) return null;
        return IPEndPoint.TryParse(text, out var address) && text.Contains(':', StringComparison.Ordinal) && address.Port > 0 ? address
            : throw new CommandFailure(ExitCode.Usage, "--metrics-listen must be an address and a port, such as 127.0.0.1:9464.");
    }

    /// <summary>The command handles the signals, not the exporter.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
