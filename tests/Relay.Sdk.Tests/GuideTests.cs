using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Otr.Core;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.Lab.Processes;
using Relay.V1;

namespace Relay.Sdk.Tests;

/// <summary>What the guides for authors of bots say to type, as it stands there.</summary>
public sealed class GuideTests
{
    /// <summary>A server that was set up as the guides say, with a contact who has a private session.</summary>
    private sealed class Followed : IAsyncDisposable
    {
        private readonly TempDirectory _directory = new();
        private Network? _network;

        public TestServer Server { get; private set; } = null!;
        public Contact Alice { get; } = new("alice@example.org");
        public string Directory => _directory.Path;
        public string KeyFile => _directory.File("bot.key");
        public string Address => Server.Address.GetLeftPart(UriPartial.Authority);

        public static async Task<Followed> StartAsync(string guide)
        {
            var followed = await SetUpAsync(guide);
            followed._network = new Network(
                followed.Server.Connect((await File.ReadAllTextAsync(followed._directory.File("bridge.key"))).Trim()), "endpoints/support", followed.Alice);
            followed.Alice.Start();
            Assert.Equal(SessionCause.KeyExchange, await followed.Alice.Changes.NextAsync());
            return followed;
        }

        /// <summary>The same without a network and its bridge.</summary>
        public static async Task<Followed> SetUpAsync(string guide)
        {
            var followed = new Followed { Server = await TestServer.StartAsync(settings: new() { ["--http-listen"] = "127.0.0.1:0" }) };
            await File.WriteAllTextAsync(followed._directory.File("admin.key"), followed.Server.AdminToken);
            var setUp = Blocks(guide, "sh").Single(b => b.Contains("endpoints create", StringComparison.Ordinal));
            await followed.RunAsync(setUp);
            return followed;
        }

        /// <summary>Runs lines of a shell, with <c>relay</c> as the command of this build, on the server of the test; returns what they print.</summary>
        public async Task<string> RunAsync(string lines)
        {
            var relay = RelayProgram.StartInfo();
            var command = string.Join(' ', relay.ArgumentList.Prepend(relay.FileName).Select(a => $"'{a}'"));
            var info = new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", $"relay() {{ {command} \"$@\"; }}\n{lines}"]) { WorkingDirectory = Directory };
            foreach (var name in new[] { "RELAY_KEY", "RELAY_CA" }) info.Environment.Remove(name);
            info.Environment["RELAY_SERVER"] = Address;
            info.Environment["RELAY_KEY_FILE"] = _directory.File("admin.key");
            info.Environment["RELAY_HTTP"] = Server.Host.HttpAddress!.GetLeftPart(UriPartial.Authority);
            var ran = await Terminal.RunAsync(info, null);
            Assert.True(ran.Code == 0, $"{ran.Code}: {ran.Out}\n{ran.Error}");
            return ran.Out;
        }

        public async ValueTask DisposeAsync()
        {
            if (_network is not null) await _network.DisposeAsync();
            await Server.DisposeAsync();
            Alice.Dispose();
            _directory.Dispose();
        }
    }

    private static string Guide(string name) => File.ReadAllText(Repository.File("docs", "guides", name + ".md"));

    /// <summary>The blocks of a guide in one language, in order.</summary>
    private static List<string> Blocks(string guide, string language) =>
        [.. Regex.Matches(Guide(guide), $"^```{language}\n(.*?)^```$", RegexOptions.Singleline | RegexOptions.Multiline).Select(m => m.Groups[1].Value)];

    [Theory]
    [InlineData("csharp", "csharp", "examples/verify-bot-csharp/Program.cs")]
    [InlineData("python", "python", "examples/verify-bot-python/verify_bot.py")]
    [InlineData("node", "js", "examples/verify-bot-node/verify-bot.mjs")]
    public void A_guide_begins_with_the_bot_that_verifies(string guide, string language, string example) =>
        Assert.Equal(File.ReadAllText(Repository.File(example)), Blocks(guide, language)[0]);

    [Theory]
    [InlineData("python", "python")]
    [InlineData("node", "js")]
    public async Task The_programs_of_a_guide_do_what_it_says(string guide, string language)
    {
        await using var followed = await Followed.StartAsync(guide);
        var programs = Blocks(guide, language);
        Assert.Equal(3, programs.Count);
        using (var say = await RunAsync("say", programs[1], "alice@example.org", "hello from the guide"))
        {
            await say.WaitForExitAsync();
            Assert.Equal((0, "ENCRYPTED"), (say.ExitCode, say.Output.Trim()));
            Assert.Equal(("hello from the guide", true), await followed.Alice.Texts.NextAsync());
        }
        using var audit = await RunAsync("audit", programs[2]);
        followed.Alice.Send("one");
        followed.Alice.Send("two");
        await Patience.UntilAsync(() => audit.HasExited || audit.Output.Contains("two", StringComparison.Ordinal));
        Assert.Equal("alice@example.org one\nalice@example.org two", audit.Output.Trim());
        await Soon.UntilAsync(async () => await PendingAsync(followed.Server) == 0);

        async Task<BotProcess> RunAsync(string name, string program, params string[] arguments)
        {
            var file = Path.Combine(followed.Directory, name + (guide == "python" ? ".py" : ".mjs"));
            await File.WriteAllTextAsync(file, program);
            return await BotProcess.StartProgramAsync(guide, file, followed.Address, followed.KeyFile, null, arguments);
        }
    }

    [Fact]
    public async Task The_methods_of_the_guide_for_CSharp_do_what_it_says()
    {
        var source = await File.ReadAllTextAsync(Repository.File("tests", "Relay.Sdk.Tests", "GuideSnippets.cs"));
        foreach (var block in Blocks("csharp", "csharp").Skip(1))
        {
            // As public members of a class, and indented as such.
            var member = string.Join('\n', ("public " + block).TrimEnd().Split('\n').Select(l => l.Length > 0 ? "    " + l : l));
            Assert.Contains(member, source, StringComparison.Ordinal);
        }
        await using var followed = await Followed.StartAsync("csharp");
        var relay = followed.Server.Connect((await File.ReadAllTextAsync(followed.KeyFile)).Trim());
        Assert.Equal("Encrypted", await GuideSnippets.SayAsync(relay, "alice@example.org", "hello from the guide"));
        Assert.Equal(("hello from the guide", true), await followed.Alice.Texts.NextAsync());
        using var stop = new CancellationTokenSource();
        var output = new StringWriter();
        followed.Alice.Send("one");
        followed.Alice.Send("two");
        await Soon.UntilAsync(async () => await PendingAsync(followed.Server) == 2);
        var audit = GuideSnippets.AuditAsync(relay, output, stop.Token);
        await Soon.UntilAsync(async () => await PendingAsync(followed.Server) == 0);
        Assert.Equal("alice@example.org one\nalice@example.org two", output.ToString().Trim());
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => audit);
        followed.Alice.End();
        await Soon.UntilAsync(async () => (await GuideSnippets.SayAsync(relay, "alice@example.org", "again")).StartsWith("refused: ", StringComparison.Ordinal));
        Assert.Equal("refused: SESSION_FINISHED", await GuideSnippets.SayAsync(relay, "alice@example.org", "again"));
    }

    [Fact]
    public async Task The_calls_of_the_guide_for_curl_lead_to_a_verified_contact()
    {
        await using var followed = await Followed.StartAsync("curl");
        var said = FollowAsync();
        var answered = AnswerAsync();
        var printed = await followed.RunAsync(string.Join('\n', Blocks("curl", "bash")));
        await Task.WhenAll(said, answered);
        Assert.Contains("\"scopes\":[\"BOT\"]", printed, StringComparison.Ordinal);
        Assert.Contains("\"disposition\":\"ENCRYPTED\"", printed, StringComparison.Ordinal);
        Assert.Contains("to the archive", printed, StringComparison.Ordinal);
        Assert.Matches("\"trust\": *\"TRUST_VERIFIED\"", printed);

        async Task FollowAsync()
        {
            await Soon.UntilAsync(async () => (await followed.Server.Admin.Subscriptions.ListSubscriptionsAsync(
                new ListSubscriptionsRequest { Parent = "endpoints/support" })).Subscriptions.Count == 2);
            followed.Alice.Send("to the archive");
            Assert.Equal(("Your order is on its way.", true), await followed.Alice.Texts.NextAsync());
        }

        async Task AnswerAsync()
        {
            var (token, question) = await followed.Alice.Questions.NextAsync();
            Assert.Equal("What is your customer number?", question);
            followed.Alice.Answer(token, BotProcess.CustomerNumber);
            Assert.Equal(SmpOutcome.Success, await followed.Alice.Verifications.NextAsync());
        }
    }

    [Fact]
    public async Task The_guide_for_authors_of_bridges_leads_to_one()
    {
        var program = string.Join('\n', Blocks("bridge-authors", "python"));
        static IEnumerable<string> Lines(string text) => text.Split('\n').Where(l => l.Length > 0);
        Assert.Equal(Lines(await File.ReadAllTextAsync(Repository.File("examples", "bridge-python", "bridge.py"))), Lines(program));

        await using var followed = await Followed.SetUpAsync("bridge-authors");
        var (names, byHand, refusal) = Blocks("bridge-authors", "bash") is [var first, var second, var third] ? (first, second, third) : default;
        var tried = await followed.RunAsync(names + byHand);
        Assert.Contains("?OTR:AAMC", tried, StringComparison.Ordinal);
        Assert.DoesNotContain("\"text\"", await followed.RunAsync(names + "curl \"$api/wire\""), StringComparison.Ordinal);

        // Its own shell puts the program where the guide's line finds it.
        await File.WriteAllTextAsync(Path.Combine(followed.Directory, "bridge.py"), program);
        var line = Blocks("bridge-authors", "sh")[^1].Trim();
        var info = new ProcessStartInfo("bash", ["-c", line.Replace(" python3 ", " exec python3 ", StringComparison.Ordinal)])
        {
            WorkingDirectory = followed.Directory, RedirectStandardInput = true, RedirectStandardOutput = true,
        };
        info.Environment["RELAY_HTTP"] = followed.Server.Host.HttpAddress!.GetLeftPart(UriPartial.Authority);
        using var stop = new CancellationTokenSource();
        int id = 0;
        using (var bridge = Process.Start(info)!)
        {
            var carrying = Task.WhenAll(CarryInAsync(bridge), CarryOutAsync(bridge));
            try
            {
                followed.Alice.Start();
                Assert.Equal(SessionCause.KeyExchange, await followed.Alice.Changes.NextAsync());
                var bot = followed.Server.Connect((await File.ReadAllTextAsync(followed.KeyFile)).Trim()).Bot("support");
                followed.Alice.Send("through the guide's bridge");
                var read = await bot.Events().FirstAsync(e => e.IsPrivate);
                Assert.Equal("through the guide's bridge", read.Text);
                await read.ReplyAsync("and back");
                Assert.Equal(("and back", true), await followed.Alice.Texts.NextAsync());
                Assert.Empty(followed.Alice.Rejects);
            }
            finally
            {
                await stop.CancelAsync();
                bridge.Kill();
                await carrying.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            }
        }
        Assert.Contains("UNDELIVERABLE", await followed.RunAsync(names + refusal), StringComparison.Ordinal);

        async Task CarryInAsync(Process bridge)
        {
            await foreach (var wire in followed.Alice.Wire.ReadAllAsync(stop.Token))
            {
                await bridge.StandardInput.WriteLineAsync(JsonSerializer.Serialize(new { peer = followed.Alice.Address, id = $"{++id}", text = Encoding.UTF8.GetString(wire) }));
                await bridge.StandardInput.FlushAsync(stop.Token);
            }
        }

        async Task CarryOutAsync(Process bridge)
        {
            while (await bridge.StandardOutput.ReadLineAsync(stop.Token) is { } sent)
                followed.Alice.Receive(Encoding.UTF8.GetBytes(JsonDocument.Parse(sent).RootElement.GetProperty("text").GetString()!));
        }
    }

    private static async Task<ulong> PendingAsync(TestServer server) => (await server.Admin.Subscriptions.GetSubscriptionAsync(
        new GetSubscriptionRequest { Name = "endpoints/support/subscriptions/audit" })).Pending;
}
