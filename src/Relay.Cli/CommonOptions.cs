using System.CommandLine;
using Relay.Cli.Serve;
using Relay.Client;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;
using Relay.Storage.Sealing;

namespace Relay.Cli;

/// <summary>The options that several commands share, with their environment variables and defaults.</summary>
public static class CommonOptions
{
    public const string ServerVariable = "RELAY_SERVER";
    public const string TrustedCertificateVariable = "RELAY_CA";

    public static Option<bool> Json { get; } = new("--json", "-j")
    {
        Description = "Print the output as JSON; failures as JSON on standard error.",
    };

    /// <summary>Adds the option to a command and all its subcommands, except where an option of this name has another meaning.</summary>
    public static void AddJson(Command command)
    {
        if (command.Options.All(o => o.Name != Json.Name)) command.Options.Add(Json);
        foreach (var below in command.Subcommands) AddJson(below);
    }

    /// <summary>True if the output and failures are printed as JSON.</summary>
    public static bool IsJson(ParseResult parsed) => parsed.GetResult(Json) is { Implicit: false };

    public static Option<string?> Data { get; } = new("--data", "-d")
    {
        Description = "Data directory of the server. Default: "
            + $"{RelaySettings.DataDirectory.Variable}, or {new RelayOptions().DataDirectory}.",
        HelpName = "DIR",
    };

    public static Option<string?> Server { get; } = new("--server", "-s")
    {
        Description = "Address of the server, or comma-separated addresses of nodes of one cluster. Default: "
            + $"{ServerVariable}, or http://127.0.0.1:{RelayOptions.DefaultPort}.",
        HelpName = "URL[,URL]",
    };

    public static Option<string?> KeyFile { get; } = new("--key-file", "-k")
    {
        Description = $"File with the API key. Default: {RelayKey.KeyFileVariable}, {RelayKey.KeyVariable}, or {AdminKey.FileName} in the "
            + "data directory. The key itself cannot be given as an argument.",
        HelpName = "FILE",
    };

    public static Option<string?> TrustedCertificate { get; } = new("--ca")
    {
        Description = "PEM file of the certificate authority that must have issued the server's certificate. Default: "
            + $"{TrustedCertificateVariable}, or the system's authorities.",
        HelpName = "FILE",
    };

    public static Option<string?> SealingKey { get; } = new("--sealing-key")
    {
        Description = "File with the sealing key, to keep it apart from the database. Default: "
            + $"{RelaySettings.SealingKeyFile.Variable}, or sealing.key in the data directory.",
        HelpName = "FILE",
    };

    public static Option<string?> EpochKey { get; } = new("--epoch-key")
    {
        Description = "File with the epoch key, which must be in no backup. Default: "
            + $"{RelaySettings.Of("Relay:Epochs:KeyFile")!.Variable}, or {EpochKeyFile.DefaultName} in the data directory.",
        HelpName = "FILE",
    };

    public static string? TrustedCertificateFile(ParseResult parsed) =>
        parsed.GetValue(TrustedCertificate)
            ?? (Environment.GetEnvironmentVariable(TrustedCertificateVariable) is { Length: > 0 } file ? file : null);

    /// <summary>The data directory of a server started with these options.</summary>
    public static string DataDirectory(ParseResult parsed)
    {
        using var configuration = ServerSwitches.Configuration(parsed);
        return Path.GetFullPath(configuration[RelaySettings.DataDirectory.Key]!);
    }

    /// <summary>Adds the options for the connection to a server.</summary>
    public static T WithServer<T>(this T command) where T : Command
    {
        command.Options.Add(Server);
        command.Options.Add(KeyFile);
        command.Options.Add(TrustedCertificate);
        command.Options.Add(Data);
        return command;
    }
}
