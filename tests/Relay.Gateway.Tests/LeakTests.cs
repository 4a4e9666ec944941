using System.Text;
using Google.Protobuf;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.Lab.Processes;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>Nothing readable at rest or in telemetry: marked values go through a real server, and are looked for wherever they might have been left.</summary>
public sealed class LeakTests
{
    /// <summary>Of the port for HTTP/JSON, which only the server's own output tells.</summary>
    private static readonly int HttpPort = FreePort();

    private const string WhileItRan = "while it ran";

    [Theory]
    [InlineData("plain")]
    [InlineData("hex")]
    [InlineData("base64-0")]
    [InlineData("base64-1")]
    [InlineData("base64-2")]
    [InlineData("utf-16")]
    public void The_search_finds_what_is_there(string form)
    {
        var marks = new Marks();
        marks.AddText("the mark", "a value that was marked");
        var mark = "a value that was marked"u8.ToArray();
        byte[] planted = form switch
        {
            "hex" => Encoding.ASCII.GetBytes(Convert.ToHexString(mark)),
            "utf-16" => Encoding.Unicode.GetBytes("a value that was marked"),
            "plain" => mark,
            _ => Encoding.ASCII.GetBytes(Convert.ToBase64String([.. new byte[form[^1] - '0'], .. mark, 1, 2])),
        };
        Assert.NotEmpty(marks.FindIn([0, 1, .. planted, 2]));
        Assert.Empty(marks.FindIn([0, 1, .. planted[..(planted.Length / 2)], 2]));
    }

    [Fact]
    public async Task Nothing_marked_is_left_in_logs_traces_metrics_or_files()
    {
        using var directory = new TempDirectory();
        await using var collector = await OtlpCollector.StartAsync();
        var data = directory.File("data");
        var log = directory.File("server.log");
        var environment = new Dictionary<string, string>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Address.ToString(),
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "500",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "200",
        };
        var marks = new Marks();
        await using var server = await ServerProcess.StartAsync(data, "127.0.0.1:0", log, environment, Patience.Token, "--log-level", "Trace",
            "--http-listen", $"127.0.0.1:{HttpPort}");
        var adminToken = File.ReadAllText(Path.Combine(data, "admin.key")).Trim();
        await using var admin = RelayClient.Connect(server.Address, RelayKey.Parse(adminToken));
        await RunConversationAsync(server, admin, marks);

        // What lies in the files while the server runs, with events and wire text not acknowledged; and what is left after.
        AssertClean(marks, data, WhileItRan);
        await server.DrainAsync(Patience.Token);
        AssertClean(marks, data, "after it ended");
        marks.AddText("the admin key's secret", adminToken.Split('_')[2]);
        Assert.Empty(marks.FindIn(await File.ReadAllBytesAsync(log)));
        Assert.Contains("Relay", await File.ReadAllTextAsync(log), StringComparison.Ordinal);
        foreach (var signal in new[] { "traces", "metrics", "logs" })
        {
            var exported = collector.Of(signal);
            Assert.NotEmpty(exported);
            Assert.Empty(marks.FindIn(exported));
        }
        // What was looked through is what was meant.
        Assert.True(collector.Of("traces").AsSpan().IndexOf("relay.v1.MessageService/SendMessage"u8) >= 0);
        Assert.True(collector.Of("metrics").AsSpan().IndexOf("relay.wire.received"u8) >= 0);
        Assert.True(collector.Of("metrics").AsSpan().IndexOf("relay.conversation.commands"u8) >= 0);
    }

    private static async Task RunConversationAsync(ServerProcess server, RelayClient admin, Marks marks)
    {
        const string account = "marked-account-4711@test.example", peer = "marked-peer-0815@test.example", stranger = "marked-stranger-2342@test.example";
        const string heard = "marked text that the contact wrote", said = "marked text that the bot wrote", unread = "marked text that nobody fetched", hostile = "?OTR:marked hostile wire text.";
        const string secret = "marked secret that both know", question = "marked question of the bot", asked = "marked question of the contact", note = "marked note on a key";
        const string label = "marked value of a label", stored = "marked secret that answers";
        const string fileName = "marked-name-of-a-file.txt", content = "marked content of a file that the bot sent";
        foreach (var text in new[] { account, peer, stranger, heard, said, unread, hostile, secret, question, asked, note, label, stored, fileName, content }) marks.AddText(text, text);
        marks.AddBytes("the endpoint's private number", TestKeys.Endpoint.X.ToByteArray());
        marks.AddBytes("the endpoint's fingerprint", Convert.FromHexString(TestKeys.EndpointFingerprint));
        marks.AddBytes("the contact's fingerprint", Convert.FromHexString(TestKeys.ContactFingerprint));

        var endpoint = (await admin.Endpoints.CreateEndpointAsync(new CreateEndpointRequest { RequestId = "1", EndpointId = "e", Network = "n", Account = account, Dsa = TestKeys.Endpoint })).Name;
        var botToken = (await admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "2", Scopes = { Scope.Bot } })).Token;
        var bridgeToken = (await admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "3", Scopes = { Scope.Bridge } })).Token;
        marks.AddText("the bot key's secret", botToken.Split('_')[2]);
        marks.AddText("the bridge key's secret", bridgeToken.Split('_')[2]);
        await using var botClient = RelayClient.Connect(server.Address, RelayKey.Parse(botToken));
        await using var bridgeClient = RelayClient.Connect(server.Address, RelayKey.Parse(bridgeToken));
        var bot = botClient.Bot(endpoint);
        using var alice = new Contact(peer);
        await using (var network = new Network(bridgeClient, endpoint, alice))
        {
            alice.Start();
            await bot.Events().FirstAsync(e => e.Message.EventCase == Event.EventOneofCase.SessionChanged);
            alice.Send(heard);
            var e = await bot.Events().FirstAsync(e => e.Text == heard);
            await e.ReplyAsync(said);
            Assert.Equal((said, true), await alice.Texts.NextAsync());
            // Verifications by either side: question, secret and note are nowhere, also while a run waits for its answer.
            await bot.VerifyAsync(e.Conversation, secret, question);
            alice.Answer((await alice.Questions.NextAsync()).Token, secret);
            await bot.Events().FirstAsync(v => v.Verification is { State: Verification.Types.State.Succeeded });
            await admin.Identities.UpdateIdentityAsync(new UpdateIdentityRequest
            {
                RequestId = "note", UpdateMask = new Google.Protobuf.WellKnownTypes.FieldMask { Paths = { "note" } },
                Identity = new Identity { Name = $"{e.Conversation}/identities/{TestKeys.ContactFingerprint}", Note = note },
            });
            alice.Verify(secret, asked);
            await bot.Events().FirstAsync(v => v.Verification is { State: Verification.Types.State.WaitingForAnswer });
            await bot.LabelAsync(e.Conversation, "team", label);
            await bot.SetAnswerSecretAsync(endpoint, stored);
            await bot.SetAnswerSecretAsync(endpoint, stored, peer);
            // The one is offered and its blob read; the other is not whole.
            var sent = (await bot.SendFileAsync(e.Conversation, new MemoryStream(Encoding.UTF8.GetBytes(content)), fileName)).Response;
            await bridgeClient.Files.DownloadBlobAsync(new DownloadBlobRequest { Name = sent.Name });
            Assert.Equal(content, (await botClient.Files.DownloadFileAsync(new DownloadFileRequest { Name = sent.Name })).Data.ToStringUtf8());
            await Assert.ThrowsAsync<Grpc.Core.RpcException>(async () => await botClient.Files.UploadFileAsync(
                new UploadFileRequest { Name = sent.Name, Data = ByteString.CopyFromUtf8(content + "!") }));
            alice.Send(unread);
            await bot.Events().FirstAsync(e => e.Text == unread);
        }
        // By HTTP names and values are in paths and queries as well.
        using (var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{HttpPort}") })
        {
            http.DefaultRequestHeaders.Authorization = new System.Net.Http.Headers.AuthenticationHeaderValue("Bearer", botToken);
            var found = await http.GetStringAsync($"/v1/{endpoint}/conversations:resolve?peer={peer}");
            Assert.Contains(peer, found, StringComparison.Ordinal);
            await http.PatchAsync($"/v1/{endpoint}/conversations/x/identities/y?requestId={note}&updateMask={note}", new StringContent($$"""{"note":"{{note}}"}"""));
            await http.PostAsync($"/v1/{endpoint}/messages", new StringContent($$"""{"requestId":"9","peer":"{{stranger}}","text":"{{said}}","{{said}}":1}"""));
            await http.PostAsync($"/v1/{endpoint}/messages", new StringContent($$"""{"text":"{{said}}"""));
            await http.GetAsync($"/v1/nothing/{peer}?{said}");
        }
        // Faults and refusals have texts of their own: none may repeat what was sent.
        await bridgeClient.BridgeStreams.PushWireAsync(new PushWireRequest { Message = new InboundWire { Endpoint = endpoint, Peer = stranger, MessageId = "h", Text = ByteString.CopyFromUtf8(hostile) } });
        await Assert.ThrowsAsync<Grpc.Core.RpcException>(async () => await botClient.Messages.SendMessageAsync(new SendMessageRequest { RequestId = "4", Text = said + "\0", Parent = endpoint, Peer = stranger }));
        await Assert.ThrowsAsync<Grpc.Core.RpcException>(async () => await botClient.BridgeStreams.PushWireAsync(new PushWireRequest { Message = new InboundWire { Endpoint = endpoint, Peer = stranger, MessageId = "i", Text = ByteString.CopyFromUtf8(hostile) } }));
    }

    private static void AssertClean(Marks marks, string directory, string when)
    {
        foreach (var file in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories))
        {
            // The lock is the holder's alone; it is looked at once it is free.
            if (Path.GetFileName(file) == "lock" && when == WhileItRan) continue;
            using var content = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[content.Length];
            content.ReadExactly(bytes);
            Assert.True(marks.FindIn(bytes) is [], $"{Path.GetFileName(file)} {when}: {string.Join("; ", marks.FindIn(bytes))}");
        }
        Assert.True(new FileInfo(Path.Combine(directory, "relay.db")).Length > 0);
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
