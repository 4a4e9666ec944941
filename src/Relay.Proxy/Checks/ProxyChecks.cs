using System.Net;
using Relay.ChatProtocols.Dialing;
using Relay.Proxy.Irc;
using Relay.Proxy.Xmpp;

namespace Relay.Proxy.Checks;

/// <summary>
/// Looks at everything that a proxy needs: the account's files and key, the port, the certificate for clients, the way to the server, and a
/// conversation with itself. Changes nothing, needs no password, and may run beside the proxy.
/// </summary>
public static class ProxyChecks
{
    private const string Server = "server", Program = "chat program";

    /// <param name="listen">Where the proxy listens for clients.</param>
    /// <param name="showsTls">The proxy offers TLS to clients.</param>
    public static async Task<IReadOnlyList<ProxyFinding>> RunAsync(
        XmppProxyOptions options, ProxyAccountOptions account, IPEndPoint listen, bool showsTls, CancellationToken cancellation)
    {
        List<ProxyFinding> found = [.. AccountChecks.Run(account, listen, showsTls ? options.Account.Domain : null)];
        // Nothing is sent but the domain's name.
        var (stream, failure) = await XmppLogin.ConnectAsync(new XmppLoginOptions
        {
            Account = options.Account, Password = "", EndsBeforeLogin = true, Host = options.Host, Port = options.Port,
            LooksUpServers = options.LooksUpServers, DirectTls = options.DirectTls, Authorities = options.Authorities, Dial = options.Dial,
        }, cancellation);
        if (stream is not null) await stream.DisposeAsync();
        found.Add(failure is null
            ? new ProxyFinding(Server, ProxyVerdict.Ok, $"reached{Through(options.Dial)}, with a certificate for {options.Account.Domain} and a login that the proxy has")
            : new ProxyFinding(Server, ProxyVerdict.Problem, failure.Message, "Compare --upstream, --upstream-ca and --proxy with what the server's operator says."));
        found.Add(new ProxyFinding(Program, ProxyVerdict.Ok, $"account {options.Account}, server {listen.Address}, port {listen.Port}, "
            + $"{(showsTls ? "TLS if available" : "no TLS")}, no OTR and no proxy of its own"));
        return found;
    }

    /// <param name="listen">Where the proxy listens for clients.</param>
    /// <param name="passwordFile">Where the password for clients is; null: there is none.</param>
    public static async Task<IReadOnlyList<ProxyFinding>> RunAsync(
        IrcProxyOptions options, ProxyAccountOptions account, IPEndPoint listen, bool showsTls, string? passwordFile, CancellationToken cancellation)
    {
        List<ProxyFinding> found = [.. AccountChecks.Run(account, listen, showsTls ? options.Network : null)];
        var (stream, _, failure) = await UpstreamConnection.OpenAsync(options with { ServerPassword = null }, cancellation);
        if (stream is not null) await stream.DisposeAsync();
        found.Add(failure is null
            ? new ProxyFinding(Server, ProxyVerdict.Ok, $"reached{Through(options.Dial)}{(options.Tls ? $", with a certificate for {options.Network}" : " without TLS")}"
                + (options.AccountCertificate is null ? "" : "; the login by the account's certificate works"))
            : new ProxyFinding(Server, ProxyVerdict.Problem, failure, "Compare --upstream, --upstream-ca, --pin and --proxy with what the network says."));
        found.Add(passwordFile is null
            ? new ProxyFinding("password", ProxyVerdict.Warning, "Every user of this machine may connect, and speak with the account's key.",
                "Leave --no-client-password away, and give your program the password that the proxy makes.")
            : new ProxyFinding("password", ProxyVerdict.Ok, File.Exists(passwordFile) ? $"in {passwordFile}" : $"is made at the first start, in {passwordFile}"));
        found.Add(new ProxyFinding(Program, ProxyVerdict.Ok, $"nick {options.Nick}, server {listen.Address}, port {listen.Port}, {(showsTls ? "TLS" : "no TLS")}"
            + $"{(passwordFile is null ? "" : ", that password as the server password")}, no OTR and no proxy of its own"));
        return found;
    }

    private static string Through(DialOptions dial) => dial.Proxy is { } proxy ? $" through {proxy}" : "";
}
