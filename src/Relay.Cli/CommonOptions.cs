using System.CommandLine;
using Relay.Cli.Serve;
using Relay.Client;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;

namespace Relay.Cli;

/// <summary>The options that commands share.</summary>
public static class CommonOptions
{
    public const string ServerVariable = "RELAY_SERVER";
    public const string TrustedCertificateVariable = "RELAY_CA";

    public static Option<bool> Json { get; } = new("--json") { Description = "Answer in JSON, for machines; failures too, on standard error." };

    /// <summary>Adds it to a command and all below, except where an option of this name means something else.</summary>
    public static void AddJson(Command command)
    {
        if (command.Options.All(o => o.Name != Json.Name)) command.Options.Add(Json);
        foreach (var below in command.Subcommands) AddJson(below);
    }

    /// <summary>Whether the answer, and a failure, is told in JSON.</summary>
    public static bool IsJson(ParseResult parsed) => parsed.GetResult(Json) is { Implicit: false };

    public static Option<string?> Data { get; } = new("--data") { Description = $"The server's data directory. Default: {RelaySettings.DataDirectory.Variable}, or {new RelayOptions().DataDirectory}.", HelpName = "DIR" };

    public static Option<string?> Server { get; } = new("--server") { Description = $"The server's address, or several of one cluster with commas between them. Default: {ServerVariable}, or http://127.0.0.1:{RelayOptions.DefaultPort}.", HelpName = "URL[,URL]" };

    public static Option<string?> KeyFile { get; } = new("--key-file")
    {
        Description = $"The file that holds the API key. Default: {RelayKey.KeyFileVariable}, {RelayKey.KeyVariable}, or {AdminKey.FileName} in the data directory. A key itself is never an argument.",
        HelpName = "FILE",
    };

    public static Option<string?> TrustedCertificate { get; } = new("--ca")
    {
        Description = $"PEM file of the certificate authority that the server's certificate must come from. Default: {TrustedCertificateVariable}, or the system's.",
        HelpName = "FILE",
    };

    public static Option<string?> SealingKey { get; } = new("--sealing-key")
    {
        Description = $"The file of the sealing key, if it is kept apart from the database. Default: {RelaySettings.SealingKeyFile.Variable}, or sealing.key in the data directory.",
        HelpName = "FILE",
    };

    public static string? TrustedCertificateFile(ParseResult parsed) =>
        parsed.GetValue(TrustedCertificate) ?? (Environment.GetEnvironmentVariable(TrustedCertificateVariable) is { Length: > 0 } file ? file : null);

    /// <summary>That of a server that is started here.</summary>
    public static string DataDirectory(ParseResult parsed)
    {
        using var configuration = ServerSwitches.Configuration(parsed);
        return Path.GetFullPath(configuration[RelaySettings.DataDirectory.Key]!);
    }

    /// <summary>Adds what a command needs that speaks to a server.</summary>
    public static T WithServer<T>(this T command) where T : Command
    {
        command.Options.Add(Server);
        command.Options.Add(KeyFile);
        command.Options.Add(TrustedCertificate);
        command.Options.Add(Data);
        return command;
    }
}
