using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.Lab.Processes;
using Relay.V1;
using State = Relay.V1.FileTransfer.Types.State;

namespace Relay.Gateway.Tests;

/// <summary>Files through the API: from one server to another, over HTTP, after a crash, and what is refused.</summary>
public sealed class FileTests
{
    private const int Portion = 64 << 10;

    [Fact]
    public async Task A_bot_sends_a_file_to_the_bot_of_another_server()
    {
        await using var stage = await FileStage.StartAsync();
        var content = FileStage.Content(3 * Portion + 17);
        var sent = (await stage.A.Bot.SendFileToAsync("e", "two", new MemoryStream(content), "holiday.jpg", "image/jpeg", "send")).Response;
        Assert.Equal(State.Sent, sent.State);
        await stage.CarryAsync();
        var offered = await stage.B.ToldAsync();
        Assert.Equal((State.Offered, "holiday.jpg", "image/jpeg", content.LongLength, "one"), (offered.State, offered.FileName, offered.MediaType, offered.Size, offered.Peer));
        Assert.Equal(SHA256.HashData(content), offered.Sha256.ToByteArray());

        // The bridges bring the blob by means of their own, which is broken once.
        using var blob = new MemoryStream();
        await using var one = stage.A.BridgeClient.Bridge(FileSide.Endpoint);
        await using var two = stage.B.BridgeClient.Bridge(FileSide.Endpoint);
        Assert.Equal([sent.Name], stage.A.Offered.Distinct());
        await one.DownloadBlobAsync(sent.Name, blob);
        Assert.False(await two.UploadBlobAsync("one", new MemoryStream(blob.ToArray()[..(2 * Portion)])));
        Assert.True(await two.UploadBlobAsync("one", blob));
        Assert.True(await two.UploadBlobAsync("one", blob));
        // It is ciphertext.
        Assert.True(blob.ToArray().AsSpan().IndexOf(content.AsSpan(0, 16)) < 0);

        var file = (await stage.B.EventsAsync()).Where(e => e.EventCase == Event.EventOneofCase.FileChanged).ToList();
        Assert.Equal([State.Offered, State.Received], file.Select(e => e.FileChanged.File.State));
        using var got = new MemoryStream();
        await stage.B.Bot.DownloadFileAsync(file[^1].FileChanged.File, got);
        Assert.Equal(content, got.ToArray());
        // A download that was interrupted goes on, and one that does not fit is found.
        using var rest = new MemoryStream();
        rest.Write(content, 0, 100_000);
        await stage.B.Bot.DownloadFileAsync(file[^1].FileChanged.File, rest);
        Assert.Equal(content, rest.ToArray());
        using var longer = new MemoryStream(new byte[content.Length + 1]);
        await Assert.ThrowsAsync<InvalidDataException>(() => stage.B.Bot.DownloadFileAsync(file[^1].FileChanged.File, longer));
        using var other = new MemoryStream();
        other.Write([1, 2, 3]);
        await Assert.ThrowsAsync<InvalidDataException>(() => stage.B.Bot.DownloadFileAsync(file[^1].FileChanged.File, other));

        // The same request again sends nothing more.
        Assert.Equal(sent.Name, (await stage.A.Bot.SendFileToAsync("e", "two", new MemoryStream(content), "holiday.jpg", "image/jpeg", "send")).Response.Name);
        Assert.Equal(0, await stage.A.CarryAsync(stage.B));
        Assert.Equal([sent.Name], (await stage.A.Bot.FilesAsync("e").ToListAsync()).Select(f => f.Name));
        await stage.A.Bot.DeleteFileAsync(sent.Name);
        await stage.A.Bot.DeleteFileAsync(sent.Name);
        await Expect.RefusedAsync(StatusCode.NotFound, "FILE_NOT_FOUND", async () => await stage.A.BotClient.Files.GetFileAsync(new GetFileRequest { Name = sent.Name }));
    }

    [Fact]
    public async Task A_refusal_is_a_value_and_the_file_can_be_completed_later()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateEndpointAsync("e");
        var bot = (await server.ConnectAsync(Scope.Bot)).Bot("e");
        var refused = await bot.SendFileToAsync("e", "p", new MemoryStream([1]), "a", requestId: "r");
        // There is no conversation with the peer yet.
        Assert.Equal("CONVERSATION_NOT_FOUND", refused.Refusal!.Reason);
        await bot.StartSessionAsync("endpoints/e", "p");
        refused = await bot.SendFileToAsync("e", "p", new MemoryStream([1]), "a", requestId: "r");
        Assert.Equal("ENCRYPTION_REQUIRED", refused.Refusal!.Reason);
        var file = Assert.Single(await bot.FilesAsync("e").ToListAsync());
        Assert.Equal((State.Uploading, 1L), (file.State, file.StoredSize));
    }

    [Fact]
    public async Task A_file_that_the_network_refuses_is_undeliverable_and_can_be_offered_again()
    {
        await using var stage = await FileStage.StartAsync();
        var content = FileStage.Content(5);
        var sent = (await stage.A.Bot.SendFileToAsync("e", "two", new MemoryStream(content), "a")).Response;
        var wire = (await stage.A.BridgeClient.BridgeStreams.PullWireAsync(new PullWireRequest { Endpoint = FileSide.Endpoint })).Messages.Where(m => m.File.Length > 0).ToList();
        var settle = new SettleWireRequest { Endpoint = FileSide.Endpoint, Settlements = { wire.Select(w => new Settlement { Sequence = w.Sequence, Failure = "FILE_NOT_CARRIED" }) } };
        for (int i = 0; i < 2; i++)
            Assert.All((await stage.A.BridgeClient.BridgeStreams.SettleWireAsync(settle)).Results, r => Assert.Equal("", r.Reason));
        var told = Assert.Single(await stage.A.EventsAsync(), e => e.EventCase == Event.EventOneofCase.FileChanged).FileChanged.File;
        Assert.Equal((sent.Name, State.Undeliverable, "FILE_NOT_CARRIED"), (told.Name, told.State, told.Reason));
        Assert.Equal(told, await stage.A.Bot.GetFileAsync(sent.Name));
        await Expect.RefusedAsync(StatusCode.FailedPrecondition, "FILE_WRONG_STATE",
            async () => await stage.A.BridgeClient.Files.DownloadBlobAsync(new DownloadBlobRequest { Name = sent.Name }));

        // That wire text is lost, and the next one arrives.
        stage.A.Skip(wire[^1].Sequence);
        var again = await stage.A.BotClient.Files.CompleteFileAsync(new CompleteFileRequest { Name = sent.Name, RequestId = "again" });
        Assert.Equal((State.Sent, ""), (again.State, again.Reason));
        await stage.CarryAsync();
        Assert.Equal(State.Offered, (await stage.B.ToldAsync()).State);
        using var blob = new MemoryStream();
        await using var one = stage.A.BridgeClient.Bridge(FileSide.Endpoint);
        await using var two = stage.B.BridgeClient.Bridge(FileSide.Endpoint);
        await one.DownloadBlobAsync(sent.Name, blob);
        Assert.True(await two.UploadBlobAsync("one", blob));
        Assert.Equal(State.Received, (await stage.B.ToldAsync()).State);
    }

    [Fact]
    public async Task What_is_refused_says_why()
    {
        await using var stage = await FileStage.StartAsync();
        var (files, bridge) = (stage.A.BotClient.Files, stage.A.BridgeClient.Files);
        CreateFileRequest Create() => new() { RequestId = "r", Parent = FileSide.Endpoint, Peer = "two", FileName = "a.txt", MediaType = "text/plain", Size = Portion + 1 };
        foreach (var name in new[] { "", "../a", "a/b", "a\nb", "\u202Egpj.exe", new string('n', 256) })
            await Expect.FieldsAsync(async () => await files.CreateFileAsync(new CreateFileRequest(Create()) { FileName = name }), "file_name");
        await Expect.FieldsAsync(async () => await files.CreateFileAsync(new CreateFileRequest(Create()) { MediaType = "text" }), "media_type");
        foreach (long size in new[] { -1, (64L << 20) + 1 })
            await Expect.FieldsAsync(async () => await files.CreateFileAsync(new CreateFileRequest(Create()) { Size = size }), "size");
        var file = await files.CreateFileAsync(Create());
        Assert.Equal(file, await files.CreateFileAsync(Create()));
        await Expect.RefusedAsync(StatusCode.InvalidArgument, "REQUEST_ID_REUSED", async () => await files.CreateFileAsync(new CreateFileRequest(Create()) { Size = 1 }));
        await Expect.RefusedAsync(StatusCode.NotFound, "CONVERSATION_NOT_FOUND", async () => await files.CreateFileAsync(
            new CreateFileRequest(Create()) { Parent = "endpoints/e/conversations/aaaaaaaaaaaaaaaaaaaaaaaaaa", Peer = "" }));

        var data = ByteString.CopyFrom(FileStage.Content(Portion));
        UploadFileRequest Upload(long offset, ByteString of) => new() { Name = file.Name, Offset = offset, Data = of };
        await Expect.FieldsAsync(async () => await files.UploadFileAsync(Upload(-1, ByteString.Empty)), "offset", "data");
        await Expect.FieldsAsync(async () => await files.UploadFileAsync(Upload(0, ByteString.CopyFrom(new byte[Portion + 1]))), "data");
        foreach (var (offset, of) in new[] { (Portion, ByteString.CopyFrom(1)), (1, data), (0, ByteString.CopyFrom(1)) })
            await Expect.RefusedAsync(StatusCode.FailedPrecondition, "FILE_WRONG_OFFSET", async () => await files.UploadFileAsync(Upload(offset, of)));
        Assert.Equal(Portion, (await files.UploadFileAsync(Upload(0, data))).StoredSize);
        await Expect.RefusedAsync(StatusCode.FailedPrecondition, "FILE_DATA_DIFFERS", async () => await files.UploadFileAsync(Upload(0, ByteString.CopyFrom(new byte[Portion]))));
        var complete = new CompleteFileRequest { Name = file.Name, RequestId = "c" };
        await Expect.RefusedAsync(StatusCode.FailedPrecondition, "FILE_WRONG_OFFSET", async () => await files.CompleteFileAsync(complete));
        await Expect.RefusedAsync(StatusCode.FailedPrecondition, "FILE_WRONG_STATE", async () => await bridge.DownloadBlobAsync(new DownloadBlobRequest { Name = file.Name }));
        await files.UploadFileAsync(Upload(Portion, ByteString.CopyFrom(1)));
        await Expect.FieldsAsync(async () => await files.CompleteFileAsync(new CompleteFileRequest(complete) { Sha256 = ByteString.CopyFrom(1) }), "sha256");
        await Expect.RefusedAsync(StatusCode.FailedPrecondition, "FILE_DIGEST_DIFFERS",
            async () => await files.CompleteFileAsync(new CompleteFileRequest(complete) { Sha256 = ByteString.CopyFrom(new byte[32]) }));
        Assert.Equal(State.Sent, (await files.CompleteFileAsync(complete)).State);
        await stage.CarryAsync();
        await Expect.FieldsAsync(async () => await files.DownloadFileAsync(new DownloadFileRequest { Name = file.Name, Offset = -1, MaxBytes = 131_073 }), "offset", "max_bytes");
        await Expect.RefusedAsync(StatusCode.OutOfRange, "CURSOR_BEYOND_END", async () => await files.DownloadFileAsync(new DownloadFileRequest { Name = file.Name, Offset = Portion + 2 }));
        await Expect.RefusedAsync(StatusCode.FailedPrecondition, "FILE_WRONG_STATE", async () => await bridge.UploadBlobAsync(new UploadBlobRequest { Name = file.Name }));

        // The other side's bridge, and one with a blob of its own.
        var other = stage.B.BridgeClient.Files;
        var blob = (await bridge.DownloadBlobAsync(new DownloadBlobRequest { Name = file.Name, MaxBytes = 100 })).Data;
        UploadBlobRequest Bring(ByteString of) => new() { Endpoint = FileSide.Endpoint, Peer = "one", TransferId = ByteString.CopyFrom(blob.Span[5..21]), Data = of };
        await Expect.RefusedAsync(StatusCode.NotFound, "FILE_NOT_FOUND", async () => await other.UploadBlobAsync(new UploadBlobRequest(Bring(blob)) { Peer = "three" }));
        await Expect.RefusedAsync(StatusCode.InvalidArgument, "BLOB_NOT_AUTHENTIC", async () => await other.UploadBlobAsync(Bring(ByteString.CopyFrom(new byte[69]))));
        await Expect.RefusedAsync(StatusCode.FailedPrecondition, "FILE_WRONG_OFFSET", async () => await other.UploadBlobAsync(Bring(blob)));
        await Expect.FieldsAsync(async () => await other.UploadBlobAsync(new UploadBlobRequest { Offset = -1, Data = ByteString.CopyFrom(new byte[Portion + 17]) }),
            "offset", "data", "endpoint", "peer", "transfer_id");
        var told = await other.UploadBlobAsync(Bring(blob.Span[..69].ToArray() is var header ? ByteString.CopyFrom(header) : null!));
        Assert.Equal((69L, Portion + 16, 69L + Portion + 1 + 32), (told.StoredSize, told.NextPartSize, told.Size));
        await Expect.RefusedAsync(StatusCode.FailedPrecondition, "FILE_WRONG_STATE",
            async () => await stage.B.BotClient.Files.DownloadFileAsync(new DownloadFileRequest { Name = (await stage.B.ToldAsync()).Name }));
        // A key for another endpoint.
        var limited = await stage.One.ConnectAsync(Scope.Bot, "endpoints/other");
        await Expect.RefusedAsync(StatusCode.PermissionDenied, "ENDPOINT_NOT_ALLOWED", async () => await limited.Files.GetFileAsync(new GetFileRequest { Name = file.Name }));
        await Expect.RefusedAsync(StatusCode.PermissionDenied, "ENDPOINT_NOT_ALLOWED", async () => await limited.Files.CreateFileAsync(Create()));
    }

    [Fact]
    public async Task A_file_by_http()
    {
        await using var stage = await FileStage.StartAsync(new() { ["--http-listen"] = "127.0.0.1:0" });
        using var http = new HttpClient { BaseAddress = stage.One.Host.HttpAddress! };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await stage.One.CreateKeyAsync(Scope.Bot));
        async Task<JsonNode> PostAsync(string path, object body)
        {
            using var response = await http.PostAsJsonAsync(path, body);
            Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
            return (await response.Content.ReadFromJsonAsync<JsonNode>())!;
        }
        var content = FileStage.Content(Portion + 5);
        var file = (await PostAsync("/v1/endpoints/e/files", new { requestId = "r", peer = "two", fileName = "ü.bin", size = content.Length }))["name"]!.GetValue<string>();
        foreach (var (offset, data) in new[] { (0, content[..Portion]), (Portion, content[Portion..]) })
            await PostAsync($"/v1/{file}:upload", new { offset, data = Convert.ToBase64String(data) });
        Assert.Equal("SENT", (await PostAsync($"/v1/{file}:complete", new { requestId = "c" }))["state"]!.GetValue<string>());
        await stage.CarryAsync();
        Assert.Equal("ü.bin", (await stage.B.ToldAsync()).FileName);
        var read = await http.GetFromJsonAsync<JsonNode>($"/v1/{file}:download?offset={Portion}&maxBytes=3");
        Assert.Equal(content[Portion..(Portion + 3)], Convert.FromBase64String(read!["data"]!.GetValue<string>()));
        Assert.Single((await http.GetFromJsonAsync<JsonNode>("/v1/endpoints/e/files"))!["files"]!.AsArray());
        using var deleted = await http.DeleteAsync($"/v1/{file}");
        Assert.True(deleted.IsSuccessStatusCode);
    }

    [Fact]
    public async Task A_file_outlives_a_server_that_is_killed_between_its_portions()
    {
        using var directory = new TempDirectory();
        var data = directory.File("data");
        var log = directory.File("server.log");
        await using var two = await TestServer.StartAsync();
        await two.CreateEndpointAsync("e");
        var server = await ServerProcess.StartAsync(data, "127.0.0.1:0", log, null, Patience.Token);
        var listen = $"127.0.0.1:{server.Address.Port}";
        try
        {
            var options = new RelayClientOptions { MaxBackoff = TimeSpan.FromMilliseconds(300) };
            await using var admin = RelayClient.Connect(server.Address, RelayKey.FromFile(Path.Combine(data, "admin.key")), options);
            await admin.Endpoints.CreateEndpointAsync(new CreateEndpointRequest { RequestId = "1", EndpointId = "e", Network = "n", Account = "a" });
            async Task<RelayClient> ConnectAsync(Scope scope) => RelayClient.Connect(server.Address, RelayKey.Parse(
                (await admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = $"{scope}", Scopes = { scope } })).Token), options);
            async Task KillAsync()
            {
                Assert.Equal(137, await server.KillAsync());
                await server.DisposeAsync();
                server = await ServerProcess.StartAsync(data, listen, log, null, Patience.Token);
            }
            await using var botClient = await ConnectAsync(Scope.Bot);
            await using var bridgeClient = await ConnectAsync(Scope.Bridge);
            var a = new FileSide(botClient, bridgeClient, "one");
            var b = new FileSide(await two.ConnectAsync(Scope.Bot), await two.ConnectAsync(Scope.Bridge), "two");
            await FileStage.ConnectAsync(a, b);

            // The server is killed while the content is read: each time after one more portion.
            var content = FileStage.Content(3 * Portion + 1);
            await using var stream = new KillingStream(content, KillAsync);
            var sent = (await a.Bot.SendFileToAsync("e", "two", stream, "a.bin", requestId: "r")).Response;
            Assert.Equal(3, stream.Kills);
            await KillAsync();
            await FileStage.CarryAsync(a, b);
            using var blob = new MemoryStream();
            await using (var one = bridgeClient.Bridge(FileSide.Endpoint)) await one.DownloadBlobAsync(sent.Name, blob);
            await using (var other = b.BridgeClient.Bridge(FileSide.Endpoint)) Assert.True(await other.UploadBlobAsync("one", blob));
            using var got = new MemoryStream();
            await b.Bot.DownloadFileAsync(await b.ToldAsync(), got);
            Assert.Equal(content, got.ToArray());
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    /// <summary>Kills the server before each portion but the first.</summary>
    private sealed class KillingStream(byte[] content, Func<Task> kill) : MemoryStream(content)
    {
        public int Kills { get; private set; }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (Position > 0 && Position < Length)
            {
                Kills++;
                await kill();
            }
            return Read(buffer.Span);
        }
    }
}
