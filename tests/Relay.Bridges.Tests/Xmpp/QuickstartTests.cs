using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Relay.Lab.Processes;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>The script of examples/quickstart-xmpp, followed as it says with a client that people use.</summary>
public sealed class QuickstartTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-quickstart-").FullName;
    private readonly (int Xmpp, int Component) _ports = XmppServer.FreePorts();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task What_the_script_prints_leads_to_a_verified_conversation_with_the_bot()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/prosody"), "prosody is missing: apt-get install prosody");
        await using var first = await StartAsync();
        var said = Said(first);
        await using (var mcabber = await Mcabber.StartAsync(Path.Combine(_directory, "m"), int.Parse(said("connect port")), said("domain"), said("password")))
        {
            await mcabber.ShowsAsync("Your status has been set");
            await mcabber.TypeAsync($"/add {said("contact")}");
            await mcabber.TypeAsync($"/say_to {said("contact")} hello in the clear");
            await mcabber.TypeAsync("");
            await mcabber.ShowsAsync("OTR: channel established");
            await mcabber.TypeAsync("first text");
            await mcabber.ShowsAsync("echo: first text");
            await mcabber.TypeAsync($"/otr smpq . {said("SMP secret")}");
            await mcabber.ShowsAsync("Protocol: Success!");
        }
        // Passwords, keys and Prosody's data are for their owner only.
        foreach (var path in new[] { "alice.password", "component.secret", "smp.secret", "bridge.key", "bot.key", "prosody.cfg.lua", "prosody", "relay" })
            Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(Path.Combine(_directory, "kept", path)) & (UnixFileMode)0b111_111);

        Assert.Equal(0, await first.StopAsync());
        Assert.False(XmppServer.Listens(_ports.Xmpp), "Prosody was left behind.");
        Assert.False(XmppServer.Listens(RelayPort), "Relay was left behind.");

        await using var second = await StartAsync();
        Assert.Equal(said("password"), Said(second)("password"));
        Assert.Equal(said("SMP secret"), Said(second)("SMP secret"));
        await EndOneAsync(second, "bridge");
        Assert.Equal(1, await second.EndsAsync());
        Assert.Contains("quickstart: bridge has ended", second.Printed, StringComparison.Ordinal);
        Assert.False(XmppServer.Listens(_ports.Xmpp), "Prosody was left behind.");
        Assert.False(XmppServer.Listens(RelayPort), "Relay was left behind.");
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named_before_anything_is_created()
    {
        using var other = new TcpListener(IPAddress.Loopback, _ports.Component);
        other.Start();
        await using var script = Start();
        Assert.Equal(1, await script.EndsAsync());
        await script.PrintsAsync($"quickstart: Port {_ports.Component} is in use: choose another with --component-port.");
        Assert.False(Directory.Exists(Path.Combine(_directory, "kept")));
    }

    private int RelayPort => new Uri(File.ReadAllText(Path.Combine(_directory, "kept", "relay.address")).Trim()).Port;

    private async Task<RelayProcess> StartAsync()
    {
        var script = Start();
        await script.PrintsAsync("Ctrl-C ends everything");
        return script;
    }

    private RelayProcess Start()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/prosody"), "prosody is missing: apt-get install prosody");
        // The program of this build, because the checkout's own command might build another meanwhile.
        var relay = RelayProgram.StartInfo();
        var program = Path.Combine(_directory, "relay");
        if (!File.Exists(program))
        {
            File.WriteAllText(program, $"#!/bin/sh\nexec '{relay.FileName}' '{relay.ArgumentList.Single()}' \"$@\"\n");
            File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        var info = new ProcessStartInfo(
            Path.Combine(Repository.Root, "examples", "quickstart-xmpp", "quickstart"),
            ["--dir", Path.Combine(_directory, "kept"), "--xmpp-port", $"{_ports.Xmpp}", "--component-port", $"{_ports.Component}"])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
        };
        info.Environment["RELAY_PROGRAM"] = program;
        return RelayProcess.Start(info);
    }

    /// <summary>The value that the script printed beside a name.</summary>
    private static Func<string, string> Said(RelayProcess script) =>
        name => Regex.Match(script.Printed, $"^  {Regex.Escape(name)} +(.+)$", RegexOptions.Multiline).Groups[1].Value is { Length: > 0 } value
            ? value : throw new InvalidOperationException($"The script did not print '{name}':\n{script.Printed}");

    /// <summary>Kills the program of a script that has a word among its arguments.</summary>
    private static async Task EndOneAsync(RelayProcess script, string word)
    {
        var children = (await File.ReadAllTextAsync($"/proc/{script.Id}/task/{script.Id}/children")).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var one = children.Single(c => ArgumentsOf(c).Contains(word));
        using var process = Process.GetProcessById(int.Parse(one));
        process.Kill();
    }

    private static string[] ArgumentsOf(string process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline").Split('\0');
        }
        catch (IOException)
        {
            // The script also runs programs that end at once, such as the one that has just printed.
            return [];
        }
    }
}
