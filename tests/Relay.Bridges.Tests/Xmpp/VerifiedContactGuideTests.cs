using System.Diagnostics;
using System.Text.RegularExpressions;
using Relay.Lab.Processes;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>docs/guides/verified-contact.md, block by block as it stands there, with Prosody and somebody who has libotr.</summary>
public sealed class VerifiedContactGuideTests
{
    private const string City = "lisbon";

    [Fact]
    public async Task Its_lines_lead_to_a_verified_contact_and_to_nobody_else()
    {
        var directory = Directory.CreateTempSubdirectory("relay-guide-").FullName;
        try
        {
            await using var xmpp = await XmppServer.StartAsync("prosody", directory, "alice", "bob");
            await using var alice = await StartContactAsync(xmpp, directory, "alice");
            await using var bob = await StartContactAsync(xmpp, directory, "bob");
            using var shell = Process.Start(await ShellAsync(directory, xmpp.ComponentPort))!;
            try
            {
                string Output() => File.ReadAllText(Path.Combine(directory, "output"));
                var answering = AnswerAsync(alice);
                await Task.WhenAny(shell.WaitForExitAsync(), Task.Delay(2 * Wait.Limit));
                Assert.True(shell.HasExited && shell.ExitCode == 0, Output());
                await answering;
                var parts = Output().Split("BLOCK\n");
                Assert.Equal(8, parts.Length);
                Assert.Contains("Carried:", parts[4], StringComparison.Ordinal);
                Assert.Contains("Verified: the secrets are equal.", parts[5], StringComparison.Ordinal);
                Assert.Contains("Carried:", parts[6], StringComparison.Ordinal);
                await alice.HearsAsync("This is for you alone.");
                Assert.Contains("NOT_TRUSTED", parts[7], StringComparison.Ordinal);
                Assert.Equal(1, bob.TimesSecure);
                Assert.Equal(0, bob.TimesHeard("And this is for Bob."));
            }
            finally
            {
                if (!shell.HasExited) shell.Kill(entireProcessTree: true);
            }
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task<OtrContact> StartContactAsync(XmppServer xmpp, string directory, string name) => await OtrContact.StartAsync(
        await XmppClient.LogInAsync(xmpp.ClientPort, name, "phone"), "support@otr.example.org", "libotr", Path.Combine(directory, name));

    private static async Task AnswerAsync(OtrContact alice)
    {
        await alice.HearsAsync("Hello Alice, this is support.");
        await alice.SeesAsync(e => OtrContact.Kind(e) == "smp" && e.TryGetProperty("question", out var question)
            && question.GetString()!.StartsWith("In which city", StringComparison.Ordinal));
        await alice.DoAsync("smp-answer " + City);
    }

    /// <summary>A shell with the guide's lines, on ports of its own, and with the secret where somebody would type it.</summary>
    private static async Task<ProcessStartInfo> ShellAsync(string directory, int component)
    {
        var guide = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "guides", "verified-contact.md"));
        var blocks = Regex.Matches(guide, "^```sh\n(.*?)^```$", RegexOptions.Singleline | RegexOptions.Multiline)
            .Select(m => "echo BLOCK\n" + m.Groups[1].Value.Replace("127.0.0.1:5347", $"127.0.0.1:{component}", StringComparison.Ordinal));
        var program = RelayProgram.StartInfo();
        var bin = Directory.CreateDirectory(Path.Combine(directory, "bin")).FullName;
        await File.WriteAllTextAsync(Path.Combine(bin, "relay"),
            $"#!/bin/bash\nexec {string.Join(' ', program.ArgumentList.Prepend(program.FileName).Select(a => $"'{a}'"))} \"$@\"\n");
        File.SetUnixFileMode(Path.Combine(bin, "relay"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await File.WriteAllTextAsync(Path.Combine(directory, "component.secret"), XmppServer.Secret + "\n");
        await File.WriteAllTextAsync(Path.Combine(directory, "answer"), City + "\n");
        await File.WriteAllTextAsync(Path.Combine(directory, "lines"), $"""
            set -euo pipefail
            exec <answer >output 2>&1
            trap 'kill $(jobs -p) || true; wait' EXIT
            {string.Concat(blocks)}
            """);
        var info = new ProcessStartInfo("bash", ["lines"]) { WorkingDirectory = directory };
        foreach (var name in new[] { "RELAY_KEY", "RELAY_KEY_FILE", "RELAY_CA" }) info.Environment.Remove(name);
        var (grpc, http) = XmppServer.FreePorts();
        info.Environment["PATH"] = $"{bin}:{info.Environment["PATH"]}";
        info.Environment["RELAY_DATA"] = Path.Combine(directory, "data");
        info.Environment["RELAY_SERVER"] = $"http://127.0.0.1:{grpc}";
        info.Environment["Kestrel__Endpoints__Grpc__Url"] = $"http://127.0.0.1:{grpc}";
        info.Environment["Kestrel__Endpoints__Http__Url"] = $"http://127.0.0.1:{http}";
        return info;
    }
}
