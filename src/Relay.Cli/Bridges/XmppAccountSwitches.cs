using System.CommandLine;
using System.CommandLine.Parsing;
using System.Security.Cryptography;
using System.Text;
using Relay.Bridges;
using Relay.Bridges.Xmpp;
using Relay.ChatProtocols.Dialing;
using Relay.ChatProtocols.Xmpp;
using Relay.Cli.Proxy;

namespace Relay.Cli.Bridges;

/// <summary>The switches of <c>relay bridge xmpp --account</c>, and what they must be. Each refusal names its switch.</summary>
internal static class XmppAccountSwitches
{
    public static Option<string?> Account { get; } = new("--account")
    {
        Description = "Log in to this account as a client, instead of carrying a domain as a component. The bridge carries the endpoint of "
            + "network xmpp whose account it is.",
        HelpName = "NAME@DOMAIN",
    };
    private static readonly Option<string?> s_passwordFile = new("--password-file")
    {
        Description = "File whose first line is the account's password; it is read at each connection.", HelpName = "FILE",
    };
    private static readonly Option<string?> s_host = new("--host")
    {
        Description = "The account's server. Default: those of the domain's SRV records, or the domain with port 5222, or 5223 with --direct-tls. "
            + "Its certificate must be valid for the domain in any case.",
        HelpName = "HOST[:PORT]",
    };
    private static readonly Option<bool> s_directTls = new("--direct-tls")
    {
        Description = "TLS from the first byte towards the account's server, instead of STARTTLS.",
    };

    /// <summary>Also for a component with TLS.</summary>
    public static Option<string?> Authorities { get; } = new("--xmpp-ca")
    {
        Description = "PEM file of the authorities that alone are trusted for the server's certificate. Default: the system's.", HelpName = "FILE",
    };

    /// <summary>Those that only an account has.</summary>
    public static IReadOnlyList<Option> All { get; } = [Account, s_passwordFile, s_host, s_directTls];

    /// <summary>Finds switches that are missing, or that belong to the other way to connect.</summary>
    /// <param name="required">A component's, without which there is none.</param>
    /// <param name="others">A component's other ones.</param>
    public static void Check(CommandResult result, IReadOnlyList<Option> required, IReadOnlyList<Option> others)
    {
        bool isAccount = IsGiven(result, Account);
        Option[] component = [.. required, .. others], account = [.. All];
        if (!isAccount && !component.Concat(account).Any(o => IsGiven(result, o)))
        {
            result.AddError($"Give {string.Join(", ", required.Select(o => o.Name))} to carry a domain, "
                + $"or {Account.Name} and {s_passwordFile.Name} to log in to one account.");
            return;
        }
        foreach (var option in (isAccount ? [s_passwordFile] : required).Where(o => !IsGiven(result, o)))
            result.AddError($"Option '{option.Name}' is required.");
        foreach (var option in (isAccount ? component : account).Where(o => IsGiven(result, o)))
            result.AddError($"{option.Name} {(isAccount ? "is for a component, and --account is none" : "needs --account")}.");
    }

    /// <exception cref="CommandFailure">A value is not valid.</exception>
    /// <exception cref="IOException">The file with the password cannot be read.</exception>
    public static CreateNetwork Read(ParseResult parsed, bool allowsCleartext, Func<XmppAccountOptions, XmppAccountOptions> withBehaviour)
    {
        var account = parsed.GetValue(Account)!;
        if (!Jid.TryParse(account, out var jid) || !jid.IsBare || jid.Local.Length == 0)
            throw ProxySwitches.Wrong("--account must be NAME@DOMAIN, without a resource.");
        var file = parsed.GetValue(s_passwordFile)!;
        if (Password(file).Length == 0)
        {
            throw new CommandFailure(ExitCode.Usage, $"The first line of --password-file {file} is empty.",
                "Write the account's password into it.");
        }
        bool isDirect = parsed.GetValue(s_directTls);
        var (host, port) = ProxySwitches.HostAndPort(parsed.GetValue(s_host) ?? jid.Domain,
            isDirect ? XmppLogin.DefaultDirectTlsPort : XmppLogin.DefaultPort, s_host.Name);
        if (allowsCleartext && (isDirect || !Dialer.IsLoopback(host)))
        {
            throw new CommandFailure(ExitCode.Usage, isDirect ? "--direct-tls asks for TLS, and --allow-cleartext permits to go without."
                : $"The password is not sent to {host} without TLS: --allow-cleartext with --account is for a server on this machine.");
        }
        var options = withBehaviour(new XmppAccountOptions
        {
            Account = account, Password = () => Password(file), Host = host, Port = port, LooksUpServers = parsed.GetValue(s_host) is null,
            DirectTls = isDirect,
            Authorities = ProxySwitches.Authorities(parsed, Authorities), AllowCleartextOnLoopback = allowsCleartext,
        });
        return _ =>
        {
            var endpoints = new EndpointDirectory(XmppAccountNetwork.AddressOf(account));
            return (endpoints, new XmppAccountNetwork(options with { Resource = Resource(parsed, jid) }, endpoints));
        };
    }

    /// <summary>
    /// The same after a restart, and hard to guess: of the key's id, which is random and no secret. Two bridges with one key are one
    /// client to the server, so that the older one learns that it is replaced.
    /// </summary>
    private static string? Resource(ParseResult parsed, Jid account) => Connection.TryKey(parsed) is { } key
        ? "relay-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"relay bridge xmpp\n{key.Id}\n{account}")))[..16]
        : null;

    private static bool IsGiven(CommandResult result, Option option) => result.GetResult(option) is { Implicit: false };

    private static string Password(string file)
    {
        try
        {
            return File.ReadLines(file).FirstOrDefault() ?? "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"--password-file cannot be read: {e.Message}", e);
        }
    }
}
