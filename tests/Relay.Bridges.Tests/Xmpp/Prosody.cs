using System.Diagnostics;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>Prosody.</summary>
/// <param name="module">One of its host's modules besides the usual ones; null: none.</param>
internal sealed class Prosody(string directory, string? module = null) : XmppServer(directory)
{
    private const string Program = "/usr/bin/prosody", DebianModules = "/usr/lib/prosody/modules";

    private static string OwnModules => Path.Combine(Repository.Root, "tests", "Relay.Bridges.Tests", "Xmpp", "prosody");

    protected override string Log => File.Exists(PathOf("prosody.log")) ? File.ReadAllText(PathOf("prosody.log")) : "";

    protected override async Task ConfigureAsync(string[] accounts)
    {
        Assert.SkipUnless(File.Exists(Program), "prosody is missing: apt-get install prosody");
        Assert.SkipUnless(module is null || File.Exists(Path.Combine(OwnModules, $"mod_{module}.lua"))
            || Directory.Exists(Path.Combine(DebianModules, $"mod_{module}")), "a module is missing: apt-get install prosody-modules");
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
            plugin_paths = { "{{OwnModules}}", "{{DebianModules}}" }
            modules_enabled = { "roster", "saslauth", "disco", "ping", "carbons", "smacks" }
            modules_disabled = { "s2s", "tls" }
            authentication = "internal_plain"
            allow_unencrypted_plain_auth = true
            c2s_require_encryption = false
            {{Documented("lua")}}
            VirtualHost "example.org"
            {{(module is null ? "" : $"    modules_enabled = {{ \"{module}\" }}")}}

            """);
    }

    protected override ProcessStartInfo StartInfo() => new(Program, ["-F", "--config", PathOf("prosody.cfg.lua")]);

    private string PathOf(string name) => Path.Combine(DirectoryPath, name);
}
