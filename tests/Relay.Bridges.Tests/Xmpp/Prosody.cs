using System.Diagnostics;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>Prosody.</summary>
internal sealed class Prosody(string directory) : XmppServer(directory)
{
    private const string Program = "/usr/bin/prosody";

    protected override string Log => File.Exists(PathOf("prosody.log")) ? File.ReadAllText(PathOf("prosody.log")) : "";

    protected override async Task ConfigureAsync(string[] accounts)
    {
        Assert.SkipUnless(File.Exists(Program), "prosody is missing: apt-get install prosody");
        var stored = Directory.CreateDirectory(Path.Combine(DirectoryPath, "data", "example%2eorg", "accounts")).FullName;
        foreach (var account in accounts) await File.WriteAllTextAsync(Path.Combine(stored, account + ".dat"), $"return {{ [\"password\"] = \"{account}-password\" }};\n");
        await File.WriteAllTextAsync(PathOf("prosody.cfg.lua"), $$"""
            run_as_root = true
            daemonize = false
            pidfile = "{{DirectoryPath}}/prosody.pid"
            data_path = "{{DirectoryPath}}/data"
            log = { info = "{{DirectoryPath}}/prosody.log" }
            interfaces = { "127.0.0.1" }
            c2s_ports = { {{ClientPort}} }
            c2s_direct_tls_ports = { }
            s2s_ports = { }
            s2s_direct_tls_ports = { }
            http_ports = { }
            https_ports = { }
            modules_enabled = { "roster", "saslauth", "disco", "ping", "carbons", "smacks" }
            modules_disabled = { "s2s", "tls" }
            authentication = "internal_plain"
            allow_unencrypted_plain_auth = true
            c2s_require_encryption = false
            {{Documented("lua")}}
            VirtualHost "example.org"

            """);
    }

    protected override ProcessStartInfo StartInfo() => new(Program, ["-F", "--config", PathOf("prosody.cfg.lua")]);

    private string PathOf(string name) => Path.Combine(DirectoryPath, name);
}
