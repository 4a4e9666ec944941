using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Otr.Core;
using Relay.Proxy.Storage;

namespace Relay.Proxy.Checks;

/// <summary>Checks of what an account has on this machine, whatever the network.</summary>
internal static class AccountChecks
{
    private const string Files = "files", Key = "key", Port = "port", Certificate = "certificate";
    private static readonly TimeSpan s_soon = TimeSpan.FromDays(14);

    /// <param name="domain">What the certificate for clients is for; null: clients speak without TLS.</param>
    public static IEnumerable<ProxyFinding> Run(ProxyAccountOptions account, IPEndPoint listen, string? domain)
    {
        bool isRunning = AccountDirectory.IsHeld(account.Directory);
        yield return CheckFiles(account, isRunning);
        foreach (var finding in CheckKey(account)) yield return finding;
        yield return CheckPort(listen, isRunning);
        if (domain is not null) yield return CheckCertificate(account.Directory, domain, account.Time.GetUtcNow());
    }

    private static ProxyFinding CheckFiles(ProxyAccountOptions account, bool isRunning)
    {
        var folder = account.Directory;
        if (!Directory.Exists(folder)) return new ProxyFinding(Files, ProxyVerdict.Ok, $"{folder} is made at the first start");
        try
        {
            if (!isRunning && File.Exists(Path.Combine(folder, AccountDirectory.KeyFile)) && File.Exists(Path.Combine(folder, AccountDirectory.TagFile)))
                AccountDirectory.Open(account).Dispose();
            return Directory.GetFiles(folder).FirstOrDefault(f => !IsOwners(f)) is { } open
                ? new ProxyFinding(Files, ProxyVerdict.Warning, $"{open} can be read by others.", $"chmod 600 '{open}'")
                : new ProxyFinding(Files, ProxyVerdict.Ok, isRunning ? $"{folder}, which a running proxy has" : folder);
        }
        catch (AccountDirectoryException e)
        {
            return new ProxyFinding(Files, ProxyVerdict.Problem, e.Message, "The proxy does not start with it, so that no private contact becomes one in the clear.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new ProxyFinding(Files, ProxyVerdict.Problem, $"{folder} cannot be used: {e.Message}", "Give the folder to the user who runs the proxy.");
        }
    }

    private static IEnumerable<ProxyFinding> CheckKey(ProxyAccountOptions account)
    {
        DsaPrivateKey? key;
        string? fault = null;
        try
        {
            key = AccountDirectory.ReadKey(account.Directory, account.Account, account.Protocol);
        }
        catch (Exception e) when (e is AccountDirectoryException or IOException or UnauthorizedAccessException)
        {
            (key, fault) = (null, e.Message);
        }
        if (fault is not null)
        {
            yield return new ProxyFinding(Key, ProxyVerdict.Problem, fault);
            yield break;
        }
        if (key is null) yield return new ProxyFinding(Key, ProxyVerdict.Ok, "is made at the first start; --import takes another program's");
        else yield return new ProxyFinding(Key, ProxyVerdict.Ok, $"fingerprint {key.PublicKey.Fingerprint.ToHuman()}");
        using var used = key ?? DsaPrivateKey.Generate(SystemRandom.Instance);
        yield return LoopbackConversation.Run(used, account);
    }

    private static ProxyFinding CheckPort(IPEndPoint listen, bool isRunning)
    {
        try
        {
            if (isRunning)
            {
                using var client = new TcpClient();
                client.Connect(listen);
                return new ProxyFinding(Port, ProxyVerdict.Ok, $"a proxy listens at {listen}");
            }
            using var listener = new TcpListener(listen);
            listener.Start();
            return new ProxyFinding(Port, ProxyVerdict.Ok, $"{listen} is free");
        }
        catch (SocketException e)
        {
            return new ProxyFinding(Port, isRunning ? ProxyVerdict.Warning : ProxyVerdict.Problem,
                isRunning ? $"A proxy runs for the account, but not at {listen}." : $"The proxy cannot listen at {listen}: {e.Message}",
                isRunning ? "Give --listen as the running proxy has it." : "Choose another with --listen, and enter it in the chat program.");
        }
    }

    private static ProxyFinding CheckCertificate(string folder, string domain, DateTimeOffset now)
    {
        var path = ClientCertificate.PathIn(folder);
        if (!File.Exists(path)) return new ProxyFinding(Certificate, ProxyVerdict.Ok, "is made at the first start");
        try
        {
            using var certificate = X509Certificate2.CreateFromPemFile(path);
            const string renew = "Remove the file: the proxy makes another one, which the chat program has to be told of.";
            if (!certificate.MatchesHostname(domain)) return new ProxyFinding(Certificate, ProxyVerdict.Problem, $"{path} is not for {domain}.", renew);
            if (certificate.NotAfter.ToUniversalTime() <= now + s_soon)
            {
                return new ProxyFinding(Certificate, ProxyVerdict.Warning,
                    $"{path} is valid until {certificate.NotAfter.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}.", renew);
            }
            return new ProxyFinding(Certificate, ProxyVerdict.Ok, $"for clients: SHA-1 {certificate.GetCertHashString(HashAlgorithmName.SHA1)}, "
                + $"SHA256:{certificate.GetCertHashString(HashAlgorithmName.SHA256)}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return new ProxyFinding(Certificate, ProxyVerdict.Problem, $"{path} cannot be used: {e.Message}", "Remove it: the proxy makes another one.");
        }
    }

    private static bool IsOwners(string file) => OperatingSystem.IsWindows()
        || (File.GetUnixFileMode(file) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute)) == 0;
}
