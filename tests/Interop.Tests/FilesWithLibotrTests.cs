using System.Diagnostics;
using System.Security.Cryptography;
using Google.Protobuf;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Interop.Tests;

/// <summary>
/// Files between a whole server and libotr, whose extra symmetric key file_blob.py uses: an implementation of docs/files.md that shares
/// nothing with ours.
/// </summary>
public sealed class FilesWithLibotrTests
{
    private const string Endpoint = "endpoints/e", Use = "1179208773";

    [Theory]
    [InlineData(0), InlineData(200_000)]
    public async Task A_bots_file_opens_with_libotrs_extra_key(int size)
    {
        await using var stage = await Stage.StartAsync();
        var content = RandomNumberGenerator.GetBytes(size);
        var sent = (await stage.Bot.SendFileToAsync(Endpoint, "alice", new MemoryStream(content), "é.bin", "image/png")).Response;
        await stage.CarryAsync();
        var offer = stage.Alice.Events.Single(e => e.Kind == "extra-key");
        Assert.Equal(("received", Use), (offer["dir"], offer["use"]));
        using var blob = new MemoryStream();
        await using (var bridge = stage.Bridge.Bridge(Endpoint)) await bridge.DownloadBlobAsync(sent.Name, blob);
        Assert.Equal(content, await PythonAsync(blob.ToArray(), "open", offer["key"]!, offer["data"]!));
    }

    [Theory]
    [InlineData(0), InlineData(200_000)]
    public async Task A_file_under_libotrs_extra_key_comes_to_the_bot(int size)
    {
        await using var stage = await Stage.StartAsync();
        var content = RandomNumberGenerator.GetBytes(size);
        var offer = Convert.ToHexStringLower(await PythonAsync(
            content, "offer", Convert.ToHexString(RandomNumberGenerator.GetBytes(16)), "ü.txt", "text/plain", "https://files.example/x"));
        await stage.Alice.DoAsync($"extra-key {Use} {offer}");
        await stage.CarryAsync();
        var file = (await stage.LastFileAsync())!;
        Assert.Equal((FileTransfer.Types.State.Offered, "ü.txt", "text/plain", (long)size, "https://files.example/x"),
            (file.State, file.FileName, file.MediaType, file.Size, file.Url));
        var key = stage.Alice.Events.Single(e => e.Kind == "extra-key")["key"]!;
        var blob = await PythonAsync(content, "seal", key, offer, Convert.ToHexString(RandomNumberGenerator.GetBytes(32)));
        await using (var bridge = stage.Bridge.Bridge(Endpoint)) Assert.True(await bridge.UploadBlobAsync("alice", new MemoryStream(blob)));
        file = (await stage.LastFileAsync())!;
        Assert.Equal(FileTransfer.Types.State.Received, file.State);
        using var got = new MemoryStream();
        await stage.Bot.DownloadFileAsync(file, got);
        Assert.Equal(content, got.ToArray());
    }

    [Fact]
    public async Task A_use_of_another_program_is_none_of_ours()
    {
        await using var stage = await Stage.StartAsync();
        await stage.Alice.DoAsync("extra-key 1 00ff");
        await stage.CarryAsync();
        Assert.Null(await stage.LastFileAsync());
    }

    private static async Task<byte[]> PythonAsync(byte[] input, params string[] arguments)
    {
        var start = new ProcessStartInfo("/usr/bin/python3", [Path.Combine(AppContext.BaseDirectory, "peers", "file_blob.py"), .. arguments])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        using var output = new MemoryStream();
        var reading = process.StandardOutput.BaseStream.CopyToAsync(output);
        await process.StandardInput.BaseStream.WriteAsync(input);
        process.StandardInput.Close();
        await reading;
        await process.WaitForExitAsync(Patience.Token);
        Assert.SkipWhen((await errors).Contains("No module named 'cryptography'", StringComparison.Ordinal),
            "python3-cryptography is missing: apt-get install python3-cryptography");
        Assert.True(process.ExitCode == 0, await errors);
        return output.ToArray();
    }

    /// <summary>A server, and libotr in a private session with its endpoint.</summary>
    private sealed class Stage(TestServer server, Peer alice, RelayClient bot, RelayClient bridge) : IAsyncDisposable
    {
        private ulong _carried;
        private int _messages;

        public Peer Alice => alice;
        public RelayClient Bridge => bridge;
        public Bot Bot { get; } = bot.Bot(Endpoint);

        public static async Task<Stage> StartAsync()
        {
            Peers.LibotrOrSkip();
            var alice = await Peers.StartAsync(Peers.Libotr, "alice", "bob");
            var server = await TestServer.StartAsync();
            await server.CreateEndpointAsync("e");
            await alice.DoAsync("genkey " + Path.Combine(server.DataDirectory, "alice.key"));
            var stage = new Stage(server, alice, await server.ConnectAsync(Scope.Bot), await server.ConnectAsync(Scope.Bridge));
            await alice.DoAsync("start");
            await stage.CarryAsync();
            Assert.Equal("ENCRYPTED", (await alice.StateAsync())["state"]);
            return stage;
        }

        /// <summary>Carries in both directions until nothing more comes.</summary>
        public async Task CarryAsync()
        {
            while (true)
            {
                while (alice.Outbox.TryDequeue(out var text))
                {
                    var inbound = new InboundWire { Endpoint = Endpoint, Peer = "alice", MessageId = $"{_messages++}", Text = ByteString.CopyFrom(text) };
                    await bridge.BridgeStreams.PushWireAsync(new PushWireRequest { Message = inbound });
                }
                var page = await bridge.BridgeStreams.PullWireAsync(new PullWireRequest { Endpoint = Endpoint, AfterSequence = _carried });
                foreach (var wire in page.Messages)
                {
                    await alice.ReceiveAsync(wire.Text.ToByteArray());
                    _carried = wire.Sequence;
                }
                if (page.Messages.Count == 0 && alice.Outbox.Count == 0) return;
            }
        }

        /// <summary>What the bot was last told of a file; null for nothing.</summary>
        public async Task<FileTransfer?> LastFileAsync()
        {
            var events = await bot.EventStreams.PullEventsAsync(new PullEventsRequest { Endpoint = Endpoint, MaxEvents = 1000 });
            return events.Events.LastOrDefault(e => e.EventCase == Event.EventOneofCase.FileChanged)?.FileChanged.File;
        }

        public async ValueTask DisposeAsync()
        {
            await alice.DisposeAsync();
            await server.DisposeAsync();
        }
    }
}
