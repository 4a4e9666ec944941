using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;

namespace Relay.Cli.Serve;

/// <summary><c>relay serve</c>: the embedded server, until a signal asks it to drain.</summary>
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
    private static readonly Option<int> s_shards = new("--shards") { Description = "Shards in this process, 1 to 1024.", HelpName = "N", DefaultValueFactory = _ => 16 };

    public static Command Create()
    {
        var command = new Command("serve", "Run a server: SQLite in a data directory, loopback unless told otherwise. SIGTERM drains it.")
        {
            CommonOptions.Data, CommonOptions.SealingKey, s_listen, s_certificate, s_certificateKey, s_readyFile, s_logLevel, s_logJson, s_shards,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        var options = new GatewayOptions(CommonOptions.DataDirectory(parsed))
        {
            Listen = ParseListen(parsed.GetRequiredValue(s_listen)),
            CertificateFile = parsed.GetValue(s_certificate),
            CertificateKeyFile = parsed.GetValue(s_certificateKey),
            SealingKeyFile = CommonOptions.SealingKeyFile(parsed),
            LogLevel = parsed.GetValue(s_logLevel),
            JsonLog = parsed.GetValue(s_logJson),
            Shards = parsed.GetValue(s_shards) is var n and > 0 and <= 1024 ? n : throw new CommandFailure(ExitCode.Usage, "--shards must be 1 to 1024."),
        };
        await using var host = await GatewayHost.StartAsync(options, stop);
        Announce(parsed, options, host);
        await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await host.DrainAsync(CancellationToken.None);
        return ExitCode.Ok;
    }

    private static void Announce(ParseResult parsed, GatewayOptions options, GatewayHost host)
    {
        var address = host.Address.GetLeftPart(UriPartial.Authority);
        var adminKey = Path.Combine(options.DataDirectory, AdminKey.FileName);
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
                ["processId"] = Environment.ProcessId,
                ["version"] = GatewayHost.Version,
            });
            return;
        }
        Console.Out.WriteLine($"Relay {GatewayHost.Version} listens on {address}");
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

    private static IPEndPoint ParseListen(string text)
    {
        var normal = text.StartsWith("localhost:", StringComparison.OrdinalIgnoreCase) ? "127.0.0.1" + text["localhost".Length..] : text;
        int colon = normal.LastIndexOf(':');
        // Without its port an address would silently mean port 0.
        if (colon > 0 && int.TryParse(normal[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out _) && !normal.EndsWith(']') && IPEndPoint.TryParse(normal, out var endPoint))
            return endPoint;
        throw new CommandFailure(ExitCode.Usage, "--listen must be ADDRESS:PORT, as 127.0.0.1:7420 or [::1]:7420.");
    }
}
