using System.Diagnostics;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>
/// ejabberd, as one Erlang process without a node name: nothing else is started with it. With TLS it also offers that to clients, and takes
/// components by it only, with the lines of the documentation that are comments there.
/// </summary>
internal sealed class Ejabberd(string directory, string[] accounts, bool hasTls = false) : XmppServer(directory)
{
    private const string Libraries = "/usr/lib/x86_64-linux-gnu";

    public override string? CertificateFile => hasTls ? PathOf("cert.pem") : null;

    public override bool HasComponentTls => hasTls;

    protected override string Log => File.Exists(PathOf("ejabberd.log")) ? File.ReadAllText(PathOf("ejabberd.log")) : "";

    protected override async Task ConfigureAsync(string[] accounts)
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/ejabberdctl") && Directory.GetDirectories(Libraries, "ejabberd-*").Length > 0, "ejabberd is missing: apt-get install ejabberd");
        var component = Documented("yaml");
        if (hasTls)
        {
            using var certificate = SecureProsody.WriteCertificate(Domain, CertificateFile!, PathOf("key.pem"), "localhost");
            await File.WriteAllTextAsync(PathOf("both.pem"), await File.ReadAllTextAsync(CertificateFile!) + await File.ReadAllTextAsync(PathOf("key.pem")));
            var withTls = component.Replace("# tls:", "tls:", StringComparison.Ordinal).Replace("# certfile:", "certfile:", StringComparison.Ordinal)
                .Replace("/etc/ejabberd/ejabberd.pem", PathOf("both.pem"), StringComparison.Ordinal);
            Assert.Contains($"certfile: \"{PathOf("both.pem")}\"", withTls, StringComparison.Ordinal);
            component = withTls;
        }
        await File.WriteAllTextAsync(PathOf("ejabberd.yml"), $$"""
            {{(hasTls ? $"certfiles: [\"{PathOf("both.pem")}\"]" : "")}}
            hosts:
              - "example.org"
            loglevel: info
            auth_password_format: plain
            modules:
              mod_roster: {}
              mod_ping: {}
              mod_disco: {}
              mod_carboncopy: {}
              mod_offline: {}
              mod_stream_mgmt: {}
            listen:
              - port: {{ClientPort}}
                ip: "127.0.0.1"
                module: ejabberd_c2s
                starttls: {{(hasTls ? "true" : "false")}}
            {{component}}
            """);
    }

    protected override ProcessStartInfo StartInfo()
    {
        var register = string.Concat(accounts.Select(a => $"ejabberd_auth:try_register(<<\"{a}\">>, <<\"{Domain}\">>, <<\"{a}-password\">>), "));
        return new ProcessStartInfo("erl", ["-noinput", "-mnesia", "dir", $"\"{PathOf("spool")}\"", "-s", "ejabberd", "-eval", register + "ok."])
        {
            Environment =
            {
                ["ERL_LIBS"] = Libraries, ["HOME"] = DirectoryPath, ["SPOOL_DIR"] = PathOf("spool"),
                ["EJABBERD_CONFIG_PATH"] = PathOf("ejabberd.yml"), ["EJABBERD_LOG_PATH"] = PathOf("ejabberd.log"),
            },
        };
    }

    private string PathOf(string name) => Path.Combine(DirectoryPath, name);
}
