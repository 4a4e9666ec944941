using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Relay.Bridges;
using Relay.Bridges.Xmpp;
using Relay.Cli.Proxy;

namespace Relay.Cli.Bridges;

/// <summary>
/// The command <c>relay bridge xmpp</c>: carries the endpoints of one XMPP domain as an external component (XEP-0114), or one endpoint as a
/// client of its account.
/// </summary>
internal static class XmppBridgeCommand
{
    private static readonly Option<string?> s_component = new("--component")
    {
        Description = "Host and port of the XMPP server for external components.", HelpName = "HOST:PORT",
    };
    private static readonly Option<string?> s_domain = new("--domain")
    {
        Description = "Domain of the component. The bridge carries the endpoints of network xmpp whose account is in it and that the key "
            + "allows.",
        HelpName = "DOMAIN",
    };
    private static readonly Option<string?> s_secretFile = new("--secret-file")
    {
        Description = "File whose first line is the component's secret; it is read at each connection.", HelpName = "FILE",
    };
    private static readonly Option<bool> s_tls = new("--tls")
    {
        Description = "Connect with TLS; the certificate must be valid for the host. ejabberd can do this, Prosody cannot.",
    };
    private static readonly Option<bool> s_allowCleartext = new("--allow-cleartext")
    {
        Description = "Permit a connection without TLS: of a component to another machine, over a link that is protected by other means; of an "
            + "account to a server on this machine only.",
    };
    private static readonly Option<string> s_subscribers = new("--subscribers")
    {
        Description = "Who may see that endpoints are online: all, nobody, or a list of domains.", HelpName = "all|nobody|DOMAIN[,DOMAIN]",
        DefaultValueFactory = _ => "all",
    };

    private static readonly Option<bool> s_receipts = new("--receipts")
    {
        Description = "Ask contacts' programs to confirm bots' messages (XEP-0184), which costs a commit each and tells the servers.",
    };

    private static readonly Option<bool> s_askPresence = new("--ask-presence")
    {
        Description = "Ask contacts who subscribe to see the presence of an endpoint for theirs: text of a session then waits for a device that is away.",
    };
    private static readonly Option<bool> s_requireOtr = new("--require-otr")
    {
        Description = "Carry nothing without OTR: return contacts' text in the clear to them with a sentence that asks for a private "
            + "conversation, and refuse bots' text in the clear. Offers of a session pass.",
    };

    public static Command Create()
    {
        var command = CreateWithoutAction();
        BridgeExporter.AddTo(command);
        command.SetAction((parsed, stop) => new BridgeRun(parsed, new BridgeOptions { Name = XmppNetwork.Name })
            .RunAsync(Read(parsed)(NullLogger.Instance), stop));
        return command;
    }

    /// <summary>The command's switches, which are also the settings of a bridge that <c>relay serve</c> hosts.</summary>
    public static Command CreateWithoutAction()
    {
        var command = new Command("xmpp", "Carry the endpoints of an XMPP domain, as an external component of its server (XEP-0114), or one "
            + "endpoint as a client of its account (--account). Needs a key of scope bridge.")
        {
            s_component, s_domain, s_secretFile, s_tls, s_allowCleartext, s_subscribers, s_receipts, s_requireOtr, s_askPresence,
        };
        foreach (var option in XmppAccountSwitches.All) command.Options.Add(option);
        command.Options.Add(XmppAccountSwitches.Authorities);
        command.Validators.Add(result => XmppAccountSwitches.Check(result, [s_component, s_domain, s_secretFile], [s_tls]));
        return command.WithServer();
    }

    /// <exception cref="CommandFailure">A value is not valid.</exception>
    /// <exception cref="IOException">The file with the secret or the password cannot be read.</exception>
    public static CreateNetwork Read(ParseResult parsed)
    {
        if (parsed.GetValue(XmppAccountSwitches.Account) is not null)
            return XmppAccountSwitches.Read(parsed, parsed.GetValue(s_allowCleartext), o => WithBehaviour(o, parsed));
        var options = Options(parsed);
        return _ =>
        {
            var endpoints = new EndpointDirectory(XmppNetwork.AddressIn(options.Domain));
            return (endpoints, new XmppNetwork(options, endpoints));
        };
    }

    private static XmppOptions Options(ParseResult parsed)
    {
        var (host, port) = HostAndPort(parsed.GetValue(s_component)!);
        var domain = parsed.GetValue(s_domain)!;
        if (!XmppNetwork.IsDomain(domain))
            throw new CommandFailure(ExitCode.Usage, "--domain must be a domain name such as otr.example.org.");
        var secretFile = parsed.GetValue(s_secretFile)!;
        if (Secret(secretFile).Length == 0)
        {
            throw new CommandFailure(ExitCode.Usage, $"The first line of --secret-file {secretFile} is empty.",
                "Write the component's secret into it.");
        }
        var options = new XmppOptions
        {
            Host = host, Port = port, Domain = domain, Secret = () => Secret(secretFile),
            Tls = parsed.GetValue(s_tls), Authorities = ProxySwitches.Authorities(parsed, XmppAccountSwitches.Authorities), AllowCleartext = parsed.GetValue(s_allowCleartext),
        };
        if (options.Authorities is not null && !options.Tls)
            throw new CommandFailure(ExitCode.Usage, "--xmpp-ca is for a certificate, and without --tls a component sees none.");
        if (!options.Tls && !options.AllowCleartext && !XmppNetwork.IsLoopback(host))
        {
            throw new CommandFailure(ExitCode.Usage, $"The secret and all messages would go to {host} in the clear.",
                "Use --tls, a tunnel with a loopback address, or --allow-cleartext if the link is protected by other means.");
        }
        return WithBehaviour(options, parsed);
    }

    /// <summary>What both ways to connect have in common.</summary>
    private static T WithBehaviour<T>(T options, ParseResult parsed) where T : XmppBridgeOptions =>
        (T)WithSubscribers(options with
        {
            AsksForReceipts = parsed.GetValue(s_receipts), RequiresOtr = parsed.GetValue(s_requireOtr),
            AsksForPresence = parsed.GetValue(s_askPresence),
        }, parsed.GetValue(s_subscribers)!);

    private static XmppBridgeOptions WithSubscribers(XmppBridgeOptions options, string text)
    {
        if (text == "all") return options with { Subscriptions = SubscriptionPolicy.All };
        if (text == "nobody") return options with { Subscriptions = SubscriptionPolicy.Nobody };
        var domains = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (domains.Length == 0 || !domains.All(XmppNetwork.IsDomain))
            throw new CommandFailure(ExitCode.Usage, "--subscribers must be all, nobody, or domains separated by commas.");
        return options with { Subscriptions = SubscriptionPolicy.Domains, SubscriptionDomains = domains };
    }

    private static (string Host, int Port) HostAndPort(string text)
    {
        int colon = text.LastIndexOf(':');
        return colon > 0 && int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            && port is > 0 and <= 65535
            ? (text[..colon].Trim('[', ']'), port)
            : throw new CommandFailure(ExitCode.Usage, "--component must be HOST:PORT, for example 127.0.0.1:5347.");
    }

    private static string Secret(string file)
    {
        try
        {
            return File.ReadLines(file).FirstOrDefault() ?? "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"--secret-file cannot be read: {e.Message}", e);
        }
    }
}
