using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Relay.Cli.Doctor;

/// <summary>Checks when a server's certificate expires. Whether it is trusted is seen when the server is asked for its health.</summary>
internal static class CertificateCheck
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    public static async Task<Finding> RunAsync(Uri server, DateTimeOffset now, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(s_patience);
        DateTimeOffset expires = default;
        try
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync(server.DnsSafeHost, server.Port, patience.Token);
            await using var tls = new SslStream(socket.GetStream(), leaveInnerStreamOpen: false, (_, certificate, _, _) =>
            {
                if (certificate is X509Certificate2 shown) expires = shown.NotAfter.ToUniversalTime();
                return true;
            });
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = server.DnsSafeHost }, patience.Token);
        }
        catch (Exception e) when (e is SocketException or IOException or AuthenticationException
            or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            // The certificate may have been shown before the server refused.
        }
        var date = expires.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        const string replace = "Put a new one in its place: a running server takes it up without a restart.";
        return expires == default ? new("certificate", Verdict.Skipped, $"{server.Authority} shows no certificate.")
            : expires <= now ? new("certificate", Verdict.Problem, $"The certificate of {server.Authority} expired on {date}.", replace)
            : expires <= now + Finding.Soon
                ? new("certificate", Verdict.Warning, $"The certificate of {server.Authority} expires on {date}.", replace)
            : new("certificate", Verdict.Ok, $"valid until {date}");
    }
}
