using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Relay.Cli.Doctor;
using Relay.Proxy;
using Relay.Proxy.Checks;
using Relay.Proxy.Irc;
using Relay.Proxy.Storage;

namespace Relay.Cli.Proxy;

/// <summary>The command <c>relay proxy irc</c>: OTR for one nick of an IRC network whose program has none.</summary>
internal static class IrcProxyCommand
{
    private const int TlsPort = 6697, PlainPort = 6667, PinDigits = 64, MaxPassword = 256;

    private static readonly Option<string> s_account = new("--account")
    {
        Description = "The account: its nick, and the network's host name, for which the server's certificate must be valid.",
        HelpName = "NICK@HOST", Required = true,
    };
    private static readonly Option<string?> s_upstream = new("--upstream")
    {
        Description = $"The server to connect to. Default: the network's host name, port {TlsPort}.", HelpName = "HOST[:PORT]",
    };
    private static readonly Option<bool> s_noTls = new("--no-tls")
    {
        Description = "Connect to the server without TLS. For a server on this machine or an .onion address only.",
    };
    private static readonly Option<string?> s_pin = new("--pin")
    {
        Description = "SHA-256 of the server's certificate in hexadecimal: this one is trusted, and no other.", HelpName = "HEX",
    };
    private static readonly Option<string?> s_certificate = new("--account-certificate")
    {
        Description = "PEM file with a certificate and its key: the proxy logs in by SASL EXTERNAL with it.", HelpName = "FILE",
    };
    private static readonly Option<string?> s_serverPassword = new("--server-password-file")
    {
        Description = "File with the password of the IRC server itself (PASS).", HelpName = "FILE",
    };
    private static readonly Option<string?> s_clientPassword = new("--client-password-file")
    {
        Description = "File with the password that the chat program must send (PASS). Default: one that is made once, in the account's directory.",
        HelpName = "FILE",
    };
    private static readonly Option<bool> s_noClientPassword = new("--no-client-password")
    {
        Description = "Let every user of this machine connect, and speak with the account's key.",
    };
    private static readonly Option<bool> s_clientTls = new("--client-tls")
    {
        Description = "Speak TLS with the chat program, with a certificate that is made once.",
    };

    public static Command Create()
    {
        var (command, switches) = New("Between an IRC client without OTR and its network: the client connects here, and its texts to private contacts "
            + "leave encrypted or not at all.", movesFiles: true);
        command.SetAction((parsed, stop) => RunAsync(parsed, switches, stop));
        return command;
    }

    /// <summary>The checks of a proxy with the same switches.</summary>
    public static Command CreateChecks()
    {
        var (command, switches) = New("Check what 'relay proxy irc' needs, with the same switches: files, key, port, certificate, the way to the network.");
        command.SetAction(async (parsed, stop) =>
        {
            var (options, account) = Read(parsed, switches);
            var file = parsed.GetValue(s_noClientPassword) ? null : parsed.GetValue(s_clientPassword) ?? ClientPassword.PathIn(account.Directory);
            return DoctorCommand.Tell(parsed,
                await ProxyChecks.RunAsync(options, account, switches.Listen(parsed), parsed.GetValue(s_clientTls), file, stop));
        });
        return command;
    }

    private static (Command Command, ProxySwitches Switches) New(string description, bool movesFiles = false)
    {
        var command = new Command("irc", description)
        {
            s_account, s_upstream, s_noTls, s_pin, s_certificate, s_serverPassword, s_clientPassword, s_noClientPassword, s_clientTls,
        };
        return (command, new ProxySwitches(command, $"127.0.0.1:{PlainPort}", movesFiles));
    }

    /// <summary>The settings but for the certificate and the password for clients, which are made where they are missing.</summary>
    private static (IrcProxyOptions Options, ProxyAccountOptions Account) Read(ParseResult parsed, ProxySwitches switches)
    {
        var name = parsed.GetRequiredValue(s_account);
        int at = name.IndexOf('@', StringComparison.Ordinal);
        if (at < 1 || IrcProxy.Normalised(name[..at]) is null || Uri.CheckHostName(name[(at + 1)..]) == UriHostNameType.Unknown)
            throw ProxySwitches.Wrong("--account must be NICK@HOST, for example alice@irc.example.org.");
        var (nick, network) = (name[..at], name[(at + 1)..].ToLowerInvariant());
        var account = switches.Account(parsed, $"{nick}@{network}", IrcProxy.Protocol, IrcProxy.Normalised);
        bool isPlain = parsed.GetValue(s_noTls);
        var (host, port) = ProxySwitches.HostAndPort(parsed.GetValue(s_upstream) ?? network, isPlain ? PlainPort : TlsPort, "--upstream");
        var options = new IrcProxyOptions
        {
            Nick = nick, Network = network, Host = host, Port = port, Tls = !isPlain, Authorities = switches.Authorities(parsed), Pin = Pin(parsed),
            AccountCertificate = AccountCertificate(parsed), Dial = switches.Dial(parsed, $"{nick}@{network}"),
            ServerPassword = parsed.GetValue(s_serverPassword) is { } secret ? Secret(secret, s_serverPassword.Name) : null,
        };
        if (isPlain && !options.MayBeInTheClear)
            throw ProxySwitches.Wrong("--no-tls is for a server with an address of loopback, or an .onion address: on any other way all could be read.");
        if (isPlain && (options.Pin ?? parsed.GetValue(s_certificate)) is not null)
            throw ProxySwitches.Wrong("--pin and --account-certificate need TLS.");
        return (options, account);
    }

    private static async Task<int> RunAsync(ParseResult parsed, ProxySwitches switches, CancellationToken stop)
    {
        var (options, account) = Read(parsed, switches);
        if (switches.HasMovedFiles(parsed, account, other => IrcProxy.IsSameAccount(other, options.Nick, options.Network), IrcProxy.Normalised))
            return ExitCode.Ok;
        var (password, file) = ClientSecret(parsed, account);
        var certificate = parsed.GetValue(s_clientTls) ? ClientCertificate.LoadOrCreate(account.Directory, options.Network) : null;
        options = options with { ClientPassword = password, ClientCertificate = certificate };
        try
        {
            using var proxy = IrcProxy.Open(options, account, switches.Listen(parsed));
            Announce(parsed, proxy, options, account.Account, file, certificate);
            await proxy.RunAsync(stop);
            return ExitCode.Ok;
        }
        catch (AccountDirectoryException e)
        {
            throw new CommandFailure(ExitCode.Failed, e.Message, inner: e);
        }
    }

    private static (string? Password, string? File) ClientSecret(ParseResult parsed, ProxyAccountOptions account)
    {
        var file = parsed.GetValue(s_clientPassword);
        if (!parsed.GetValue(s_noClientPassword))
            return file is null ? ClientPassword.LoadOrCreate(account.Directory) : (Secret(file, s_clientPassword.Name), file);
        return file is null ? (null, null) : throw ProxySwitches.Wrong("--client-password-file and --no-client-password contradict each other.");
    }

    private static string Secret(string file, string option)
    {
        var line = ProxySwitches.Read(file, option);
        return line.Length is > 0 and <= MaxPassword && line[0] != ':' && !line.Any(c => c == ' ' || char.IsControl(c)) ? line
            : throw ProxySwitches.Wrong($"The file of {option} must have the password in its first line: up to {MaxPassword} characters, without blanks, and "
                + "with no colon at its start.");
    }

    private static string? Pin(ParseResult parsed)
    {
        if (parsed.GetValue(s_pin) is not { } text) return null;
        var pin = text.Replace(":", "", StringComparison.Ordinal);
        return pin.Length == PinDigits && pin.All(char.IsAsciiHexDigit) ? pin
            : throw ProxySwitches.Wrong($"--pin must be {PinDigits} hexadecimal digits: the SHA-256 of the server's certificate.");
    }

    private static X509Certificate2? AccountCertificate(ParseResult parsed)
    {
        if (parsed.GetValue(s_certificate) is not { } file) return null;
        try
        {
            return X509Certificate2.CreateFromPemFile(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new CommandFailure(ExitCode.Usage, $"The file of {s_certificate.Name} cannot be read: {e.Message}", inner: e);
        }
    }

    private static void Announce(
        ParseResult parsed, IrcProxy proxy, IrcProxyOptions options, string account, string? passwordFile, X509Certificate2? certificate)
    {
        var sha256 = certificate?.GetCertHashString(HashAlgorithmName.SHA256);
        if (CommonOptions.IsJson(parsed))
        {
            Report.JsonLine(new JsonObject
            {
                ["event"] = "ready", ["address"] = proxy.LocalEndpoint.ToString(), ["account"] = account, ["upstream"] = $"{options.Host}:{options.Port}",
                ["fingerprint"] = proxy.Fingerprint, ["clientPasswordFile"] = passwordFile, ["certificateSha256"] = sha256,
            });
            return;
        }
        Console.Out.WriteLine($"Clients connect to {proxy.LocalEndpoint} as {Report.Safe(account)}; server {options.Host}:{options.Port}"
            + $"{(options.Tls ? "" : " without TLS")}{(options.Dial.Proxy is { } other ? $" through {other}" : "")}; key {proxy.Fingerprint}"
            + (proxy.IsNewKey ? " (new)" : ""));
        Console.Out.WriteLine(passwordFile is null ? "Every user of this machine may connect." : $"The client's server password is in {passwordFile}");
        if (certificate is not null) Console.Out.WriteLine($"Certificate for clients: SHA256:{sha256}");
        Console.Out.Flush();
    }
}
