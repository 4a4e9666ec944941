using System.Diagnostics;
using Relay.Cli;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>How commands end, and what they say to somebody who has typed something else than was meant.</summary>
public sealed class CommandMannersTests
{
    [Theory]
    [InlineData("tail", "e")]
    [InlineData("tail", "e/audit")]
    [InlineData("status", "--watch")]
    [InlineData("chat", "e/alice")]
    public async Task What_runs_until_a_signal_ends_quietly_by_one(params string[] command)
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateEndpointAsync("e");
        var bot = await server.ConnectAsync(Scope.Bot);
        await bot.Subscriptions.CreateSubscriptionAsync(new CreateSubscriptionRequest { Parent = "endpoints/e", SubscriptionId = "audit" });
        using var directory = new TempDirectory();
        var token = await server.CreateKeyAsync(Scope.Bot);
        await File.WriteAllTextAsync(directory.File("bot.key"), token);
        var caller = server.Connect(token);
        var key = command[0] == "status" ? Path.Combine(server.DataDirectory, "admin.key") : directory.File("bot.key");
        using var running = Terminal.Start(new() { ["RELAY_SERVER"] = server.Address.ToString(), ["RELAY_KEY_FILE"] = key }, command);
        try
        {
            if (command[0] == "status") await running.StandardOutput.ReadLineAsync(Patience.Token);
            else while (!running.HasExited && await OpenStreamsAsync(caller) == 0) await Task.Delay(20, Patience.Token);
            using (var kill = Process.Start("kill", ["-INT", $"{running.Id}"])) await kill.WaitForExitAsync();
            var error = await running.StandardError.ReadToEndAsync(Patience.Token);
            await running.WaitForExitAsync(Patience.Token);
            Assert.Equal("", error);
            Assert.Equal(ExitCode.Interrupted, running.ExitCode);
        }
        finally
        {
            if (!running.HasExited) running.Kill();
        }
    }

    private static async Task<long> OpenStreamsAsync(Client.RelayClient caller) =>
        (await caller.Admin.GetCallerAsync(new GetCallerRequest())).Limits.Single(l => l.Name == "streams").Used;

    [Fact]
    public async Task A_switch_that_a_command_does_not_have_is_no_text_for_the_peer()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateEndpointAsync("e");
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory.File("bot.key"), await server.CreateKeyAsync(Scope.Bot));
        var bot = new Dictionary<string, string> { ["RELAY_SERVER"] = server.Address.ToString(), ["RELAY_KEY_FILE"] = directory.File("bot.key") };
        foreach (var wrong in new string[][] { ["send", "e/alice", "--wiat"], ["dead-letters", "drop", "e/audit", "--all"] })
        {
            var refused = await Terminal.RunAsync(bot, null, wrong);
            Assert.Equal(ExitCode.Usage, refused.Code);
            Assert.Contains($"Unknown command, option or argument '{wrong[^1]}'", refused.Error, StringComparison.Ordinal);
        }
        Assert.Contains("did you mean '--wait'?", (await Terminal.RunAsync(bot, null, "send", "e/alice", "--wiat")).Error, StringComparison.Ordinal);
        Assert.StartsWith("Held:", (await Terminal.RunAsync(bot, null, "send", "e/alice", "--", "--wiat")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_says_what_to_do()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateEndpointAsync("e");
        var admin = new Dictionary<string, string> { ["RELAY_SERVER"] = server.Address.ToString(), ["RELAY_KEY_FILE"] = Path.Combine(server.DataDirectory, "admin.key") };
        (string[] Command, int Code, string Hint)[] runs =
        [
            (["send", "e", "alice", "hello"], ExitCode.Denied, "relay keys create --scope bot --out bot.key"),
            (["endpoints", "show", "nobody"], ExitCode.NotFound, "relay endpoints list"),
            (["keys", "revoke", "nobody"], ExitCode.NotFound, "relay keys list"),
            (["subscriptions", "show", "e/nobody"], ExitCode.NotFound, "relay subscriptions list"),
            (["keys", "create", "--scope", "bot", "--scope", "bridge"], ExitCode.Usage, "--scope: must be"),
            (["endpoints", "import", "no.file"], ExitCode.Usage, "There is no file no.file."),
        ];
        foreach (var (command, code, hint) in runs)
        {
            var refused = await Terminal.RunAsync(admin, null, command);
            Assert.Equal((code, true), (refused.Code, refused.Error.Contains(hint, StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task Subscriptions_and_keys_are_deleted_in_JSON_too_and_every_event_has_a_word()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateEndpointAsync("e");
        var admin = new Dictionary<string, string> { ["RELAY_SERVER"] = server.Address.ToString(), ["RELAY_KEY_FILE"] = Path.Combine(server.DataDirectory, "admin.key") };
        var made = await Terminal.RunAsync(admin, null, "subscriptions", "create", "e/audit", "--events", "session,dropped,notice,verification,identity,message,file", "--json");
        Assert.Equal(Enum.GetValues<Subscription.Types.EventType>().Length - 2, made.Json.GetProperty("types").GetArrayLength());
        var shown = await Terminal.RunAsync(admin, null, "subscriptions", "show", "e/audit");
        Assert.Matches("acknowledge within +30 seconds", shown.Out);
        Assert.Matches("verification .*wait 2 minutes", (await Terminal.RunAsync(admin, null, "endpoints", "show", "e")).Out);
        Assert.Equal("endpoints/e/subscriptions/audit", (await Terminal.RunAsync(admin, null, "subscriptions", "delete", "e/audit", "--json")).Json.GetProperty("deleted").GetString());
        var key = (await server.Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "k", Scopes = { Scope.Monitor } })).ApiKey.Name;
        await server.Admin.Admin.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = key });
        Assert.Equal(key, (await Terminal.RunAsync(admin, null, "keys", "delete", key, "--json")).Json.GetProperty("deleted")[0].GetString());
    }
}
