using System.CommandLine;
using Relay.Client;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;

namespace Relay.Cli;

/// <summary>
/// Connects a command to the server. Address and key come from options, environment variables and defaults, in this order.
/// </summary>
public static class Connection
{
    public static IReadOnlyList<Uri> Servers(ParseResult parsed)
    {
        var text = parsed.GetValue(CommonOptions.Server) ?? Environment.GetEnvironmentVariable(CommonOptions.ServerVariable)
            ?? $"http://127.0.0.1:{RelayOptions.DefaultPort}";
        try
        {
            return RelayClient.ParseServers(text);
        }
        catch (FormatException e)
        {
            throw new CommandFailure(ExitCode.Usage, e.Message, inner: e);
        }
    }

    /// <summary>Creates a client with the configured key. Its retries end soon, because a user waits for the command.</summary>
    public static RelayClient Open(ParseResult parsed, TimeSpan? giveUpAfter = null) => Open(parsed, Key(parsed), giveUpAfter);

    public static RelayClient Open(ParseResult parsed, RelayKey? key, TimeSpan? giveUpAfter = null)
        => Open(parsed, Servers(parsed), key, giveUpAfter);

    public static RelayClient Open(ParseResult parsed, IReadOnlyList<Uri> servers, RelayKey? key, TimeSpan? giveUpAfter = null)
    {
        var options = new RelayClientOptions
        {
            GiveUpAfter = giveUpAfter ?? TimeSpan.FromSeconds(3),
            AttemptTimeout = TimeSpan.FromSeconds(20),
            TrustedCertificateFile = CommonOptions.TrustedCertificateFile(parsed),
        };
        try
        {
            return RelayClient.Connect(servers, key, options);
        }
        catch (ArgumentException e)
        {
            throw new CommandFailure(ExitCode.Usage, e.Message.Split(" (Parameter")[0], inner: e);
        }
    }

    public static RelayKey Key(ParseResult parsed) => TryKey(parsed)
        ?? throw new CommandFailure(ExitCode.Denied, "No API key was found.",
            $"Name its file with --key-file or {RelayKey.KeyFileVariable}. The first admin key is {AdminKey.FileName} in the server's "
            + "data directory.");

    public static RelayKey? TryKey(ParseResult parsed)
    {
        try
        {
            if (parsed.GetValue(CommonOptions.KeyFile) is { } file) return RelayKey.FromFile(file);
            if (RelayKey.TryFromEnvironment() is { } fromEnvironment) return fromEnvironment;
            var admin = Path.Combine(CommonOptions.DataDirectory(parsed), AdminKey.FileName);
            return File.Exists(admin) ? RelayKey.FromFile(admin) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new CommandFailure(ExitCode.Denied, $"The API key cannot be read: {e.Message}", inner: e);
        }
    }
}
