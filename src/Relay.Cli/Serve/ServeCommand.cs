using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;

namespace Relay.Cli.Serve;

/// <summary><c>relay serve</c>: the embedded server or a node of a cluster, until a signal asks it to drain.</summary>
internal static class ServeCommand
{
    private static readonly Option<string> s_listen = new("--listen")
    {
        Description = "Address and port; port 0 takes a free one. Off loopback a certificate is required.",
        DefaultValueFactory = _ => $"127.0.0.1:{GatewayOptions.DefaultPort}",
        HelpName = "ADDRESS:PORT",
    };
    private static readonly Option<string?> s_certificate = new("--certificate") { Description = "PEM file of the certificate chain, for TLS.", HelpName = "FILE" };
    private static readonly Option<string?> s_certificateKey = new("--certificate-key") { Description = "PEM file of the certificate's private key. Default: in --certificate.", HelpName = "FILE" };
    private static readonly Option<string?> s_readyFile = new("--ready-file") { Description = "Written once the server answers: its address, one line.", HelpName = "FILE" };
    private static readonly Option<LogLevel> s_logLevel = new("--log-level") { Description = "Least level of log lines on standard error: Trace, Debug, Information, Warning, Error, Critical or None.", HelpName = "LEVEL", DefaultValueFactory = _ => LogLevel.Information };
    private static readonly Option<bool> s_logJson = new("--log-json") { Description = "Log lines are JSON." };
    private static readonly Option<string?> s_adminKey = new("--admin-key") { Description = $"The file of an admin key to take up, the same for every node; on the very first start it is made there. Default: {AdminKey.FileName} in the data directory.", HelpName = "FILE" };
    private static readonly Option<string?> s_healthListen = new("--health-listen") { Description = "Address and port for probes by plain HTTP: /livez and /readyz, and nothing else. Default: none; 'relay health' asks by gRPC.", HelpName = "ADDRESS:PORT" };
    private static readonly Option<double> s_drainDelay = new("--drain-delay") { Description = "At SIGTERM: seconds to go on serving while health says no already, for load balancers to notice. 0 to 600.", HelpName = "SECONDS", DefaultValueFactory = _ => 0 };
    private static readonly Option<double> s_drainTimeout = new("--drain-timeout") { Description = "At SIGTERM, after that delay: seconds for work in flight to end. 1 to 600.", HelpName = "SECONDS", DefaultValueFactory = _ => GatewayLimits.DrainTimeout.TotalSeconds };

    public static Command Create()
    {
        var command = new Command("serve", "Run a server: SQLite in a data directory, or a node of a cluster over PostgreSQL and RabbitMQ; loopback unless told otherwise. SIGTERM drains it, a second one ends it at once.")
        {
            CommonOptions.Data, CommonOptions.SealingKey, s_adminKey, s_listen, s_certificate, s_certificateKey, s_healthListen, s_readyFile, s_drainDelay, s_drainTimeout, s_logLevel, s_logJson,
        };
        ClusterArguments.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        var options = new GatewayOptions(CommonOptions.DataDirectory(parsed))
        {
            Listen = ParseListen(s_listen, parsed.GetRequiredValue(s_listen)),
            HealthListen = parsed.GetValue(s_healthListen) is { } health ? ParseListen(s_healthListen, health) : null,
            Cluster = ClusterArguments.Parse(parsed),
            AdminKeyFile = parsed.GetValue(s_adminKey) is { } adminKey ? Path.GetFullPath(adminKey) : null,
            DrainDelay = Seconds(parsed, s_drainDelay, 0),
            DrainTimeout = Seconds(parsed, s_drainTimeout, 1),
            CertificateFile = parsed.GetValue(s_certificate),
            CertificateKeyFile = parsed.GetValue(s_certificateKey),
            SealingKeyFile = CommonOptions.SealingKeyFile(parsed),
            LogLevel = parsed.GetValue(s_logLevel),
            JsonLog = parsed.GetValue(s_logJson),
            Shards = ClusterArguments.Shards(parsed),
        };
        await using var host = await GatewayHost.StartAsync(options, stop);
        Announce(parsed, options, host);
        await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return await host.DrainAsync(CancellationToken.None) ? ExitCode.Ok : ExitCode.Failed;
    }

    private static TimeSpan Seconds(ParseResult parsed, Option<double> option, double least) =>
        parsed.GetValue(option) is var seconds && seconds >= least && seconds <= 600 ? TimeSpan.FromSeconds(seconds) : throw new CommandFailure(ExitCode.Usage, $"{option.Name} must be {least} to 600 seconds.");

    private static void Announce(ParseResult parsed, GatewayOptions options, GatewayHost host)
    {
        var address = host.Address.GetLeftPart(UriPartial.Authority);
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
                ["madeAdminKey"] = host.MadeAdminKey,
                ["healthAddress"] = host.HealthAddress?.GetLeftPart(UriPartial.Authority),
                ["node"] = options.Cluster?.NodeName,
                ["processId"] = Environment.ProcessId,
                ["version"] = GatewayHost.Version,
            });
            return;
        }
        Console.Out.WriteLine($"Relay {GatewayHost.Version} listens on {address}");
        if (options.Cluster is { } cluster) Console.Out.WriteLine($"It is node {Report.Safe(cluster.NodeName)} of a cluster of {options.Shards} shards.");
        Console.Out.WriteLine($"Data directory: {options.DataDirectory}");
        if (host.MadeAdminKey) Console.Out.WriteLine($"This is its first start: the admin key is in {adminKey} (readable by you only).");
        Console.Out.Flush();
    }

    /// <summary>Whole or not at all: whoever waits for the file may read it the moment it is there.</summary>
    private static void WriteReadyFile(string file, string address)
    {
        var temporary = file + ".new";
        File.WriteAllText(temporary, address + "\n");
        File.Move(temporary, file, overwrite: true);
    }

    private static IPEndPoint ParseListen(Option option, string text)
    {
        var normal = text.StartsWith("localhost:", StringComparison.OrdinalIgnoreCase) ? "127.0.0.1" + text["localhost".Length..] : text;
        int colon = normal.LastIndexOf(':');
        // Without its port an address would silently mean port 0.
        if (colon > 0 && int.TryParse(normal[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out _) && !normal.EndsWith(']') && IPEndPoint.TryParse(normal, out var endPoint))
            return endPoint;
        throw new CommandFailure(ExitCode.Usage, $"{option.Name} must be ADDRESS:PORT, as 127.0.0.1:7420 or [::1]:7420.");
    }
}
