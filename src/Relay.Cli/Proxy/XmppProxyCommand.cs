using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Relay.ChatProtocols.Xmpp;
using Relay.Cli.Doctor;
using Relay.Proxy;
using Relay.Proxy.Checks;
using Relay.Proxy.Storage;
using Relay.Proxy.Xmpp;

namespace Relay.Cli.Proxy;

/// <summary>The command <c>relay proxy xmpp</c>: OTR for one XMPP account whose program has none.</summary>
internal static class XmppProxyCommand
{
    private static readonly Option<string> s_account = new("--account")
    {
        Description = "The account, without a resource.", HelpName = "NAME@DOMAIN", Required = true,
    };
    private static readonly Option<string?> s_upstream = new("--upstream")
    {
        Description = "The account's server. Default: the domain's, by its SRV records; with --proxy the domain itself. Its certificate must be valid for the domain in any case.", HelpName = "HOST[:PORT]",
    };
    private static readonly Option<bool> s_directTls = new("--direct-tls")
    {
        Description = "TLS from the first byte towards the server, instead of STARTTLS.",
    };
    private static readonly Option<bool> s_clientTls = new("--client-tls")
    {
        Description = "Offer TLS to the chat program, with a certificate that is made once.",
    };
    private static readonly Option<bool> s_chatStates = new("--pass-chat-states")
    {
        Description = "Tell private contacts that you are typing; by default that is not sent.",
    };

    public static Command Create()
    {
        var (command, switches) = New("Between an XMPP client without OTR and its server: the client connects here, and its texts to private contacts "
            + "leave encrypted or not at all.", movesFiles: true);
        command.SetAction((parsed, stop) => RunAsync(parsed, switches, stop));
        return command;
    }

    /// <summary>The checks of a proxy with the same switches.</summary>
    public static Command CreateChecks()
    {
        var (command, switches) = New("Check what 'relay proxy xmpp' needs, with the same switches: files, key, port, certificate, the way to the server.");
        command.SetAction(async (parsed, stop) =>
        {
            var (options, account) = Read(parsed, switches);
            return DoctorCommand.Tell(parsed, await ProxyChecks.RunAsync(options, account, switches.Listen(parsed), parsed.GetValue(s_clientTls), stop));
        });
        return command;
    }

    private static (Command Command, ProxySwitches Switches) New(string description, bool movesFiles = false)
    {
        var command = new Command("xmpp", description) { s_account, s_upstream, s_directTls, s_clientTls, s_chatStates };
        return (command, new ProxySwitches(command, $"127.0.0.1:{XmppLogin.DefaultPort}", movesFiles));
    }

    /// <summary>The settings but for the certificate for clients.</summary>
    private static (XmppProxyOptions Options, ProxyAccountOptions Account) Read(ParseResult parsed, ProxySwitches switches)
    {
        if (!Jid.TryParse(parsed.GetRequiredValue(s_account), out var jid) || !jid.IsBare || jid.Local.Length == 0)
            throw ProxySwitches.Wrong("--account must be NAME@DOMAIN, without a resource.");
        var account = switches.Account(parsed, jid.ToString(), XmppProxy.Protocol, XmppProxy.Normalised) with
        {
            PassesChatStates = parsed.GetValue(s_chatStates),
        };
        bool isDirect = parsed.GetValue(s_directTls);
        var (host, port) = ProxySwitches.HostAndPort(parsed.GetValue(s_upstream) ?? jid.Domain, isDirect ? XmppLogin.DefaultDirectTlsPort : XmppLogin.DefaultPort, "--upstream");
        return (new XmppProxyOptions
        {
            Account = jid, Host = host, Port = port, LooksUpServers = parsed.GetValue(s_upstream) is null, DirectTls = isDirect, Authorities = switches.Authorities(parsed),
            Dial = switches.Dial(parsed, jid.ToString()),
        }, account);
    }

    private static async Task<int> RunAsync(ParseResult parsed, ProxySwitches switches, CancellationToken stop)
    {
        var (options, account) = Read(parsed, switches);
        if (switches.HasMovedFiles(parsed, account, name => Jid.TryParse(name, out var other) && other.Bare == options.Account, XmppProxy.Normalised))
            return ExitCode.Ok;
        var certificate = parsed.GetValue(s_clientTls) ? ClientCertificate.LoadOrCreate(account.Directory, options.Account.Domain) : null;
        options = options with { ClientCertificate = certificate };
        try
        {
            using var proxy = XmppProxy.Open(options, account, switches.Listen(parsed));
            Announce(parsed, proxy, options, certificate);
            await proxy.RunAsync(stop);
            return ExitCode.Ok;
        }
        catch (AccountDirectoryException e)
        {
            throw new CommandFailure(ExitCode.Failed, e.Message, inner: e);
        }
    }

    private static void Announce(
        ParseResult parsed, XmppProxy proxy, XmppProxyOptions options, System.Security.Cryptography.X509Certificates.X509Certificate2? certificate)
    {
        var sha1 = certificate?.GetCertHashString(HashAlgorithmName.SHA1);
        var sha256 = certificate?.GetCertHashString(HashAlgorithmName.SHA256);
        if (CommonOptions.IsJson(parsed))
        {
            Report.JsonLine(new JsonObject
            {
                ["event"] = "ready", ["address"] = proxy.LocalEndpoint.ToString(), ["account"] = options.Account.ToString(),
                ["upstream"] = $"{options.Host}:{options.Port}", ["fingerprint"] = proxy.Fingerprint, ["certificateSha1"] = sha1,
                ["certificateSha256"] = sha256,
            });
            return;
        }
        Console.Out.WriteLine($"Clients connect to {proxy.LocalEndpoint} as {Report.Safe(options.Account.ToString())}; server {options.Host}:{options.Port}"
            + $"{(options.Dial.Proxy is { } other ? $" through {other}" : "")}; key {proxy.Fingerprint}{(proxy.IsNewKey ? " (new)" : "")}");
        if (certificate is not null) Console.Out.WriteLine($"Certificate for clients: SHA-1 {sha1}, SHA256:{sha256}");
        Console.Out.Flush();
    }
}
