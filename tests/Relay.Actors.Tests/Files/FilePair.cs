using System.Security.Cryptography;
using Relay.Actors.Files;
using Relay.Actors.Tests.Harness;

namespace Relay.Actors.Tests.Files;

/// <summary>Two relays that talk to each other, and a network that carries wire text between them when it is told to.</summary>
internal sealed class FilePair : IAsyncDisposable
{
    private readonly Dictionary<TestRelay, ulong> _carried = [];
    private int _requests;

    public TestRelay A { get; init; } = new() { Policy = Otr.Core.OtrPolicy.Managed };

    public TestRelay B { get; init; } = new();

    public static async Task<FilePair> ConnectAsync(FilePair? pair = null)
    {
        pair ??= new FilePair();
        await pair.A.OpenAsync();
        await pair.B.OpenAsync();
        await pair.A.CreateEndpointAsync("create", key: 0);
        await pair.B.CreateEndpointAsync("create", key: 1);
        await pair.StartAsync();
        return pair;
    }

    public async Task StartAsync()
    {
        Assert.IsType<ConversationReply.Done>(await A.AskAsync(new Command.StartSession(Request())));
        await CarryAsync();
    }

    public string Request() => $"r{++_requests}";

    /// <summary>Carries wire text until nothing more comes.</summary>
    public async Task CarryAsync()
    {
        while (await CarryAsync(A, B) + await CarryAsync(B, A) > 0) { }
    }

    private async Task<int> CarryAsync(TestRelay from, TestRelay to)
    {
        var items = await from.ReadAsync(TestRelay.Wire, _carried.GetValueOrDefault(from));
        foreach (var item in items)
        {
            var reply = await to.ReceiveAsync(Request(), ((OutboxBody.WireText)item.Body).Text);
            Assert.True(reply is ConversationReply.Done or ConversationReply.WireRejected, $"{reply}");
            _carried[from] = item.Sequence;
        }
        return items.Count;
    }

    public static async Task<IReadOnlyList<OutboxBody>> EventsAsync(TestRelay relay) => [.. (await relay.ReadAsync(TestRelay.Events)).Select(i => i.Body)];

    /// <summary>What the bot was last told of a file.</summary>
    public static async Task<FileView> ToldAsync(TestRelay relay) => (await EventsAsync(relay)).OfType<OutboxBody.FileChanged>().Last().File;

    public static byte[] Content(int size, int seed = 0)
    {
        var content = new byte[size];
        new Random(size + seed).NextBytes(content);
        return content;
    }

    public async Task<FileView> CreateAsync(long size, string name = "é.bin", string? request = null)
        => Done(await A.Relay.Files.CreateAsync(Description(size, name, request ?? Request()), default));

    public CreateFile Description(long size, string name, string request)
        => new(request, TestRelay.Endpoint, A.Relay.ConversationId(TestRelay.Endpoint, TestRelay.Peer), TestRelay.Peer, name, "image/png", size);

    public async Task<FileReply> WriteAsync(string id, long offset, ReadOnlyMemory<byte> data)
        => await A.Relay.Files.WriteAsync(TestRelay.Endpoint, id, offset, data, default);

    public async Task<FileReply> CompleteAsync(string id, ReadOnlyMemory<byte>? digest = null, string? request = null)
        => await A.Relay.Files.CompleteAsync(TestRelay.Endpoint, id, request ?? Request(), digest, default);

    /// <summary>Uploads and offers a file.</summary>
    public async Task<FileView> SendAsync(byte[] content)
    {
        var file = await CreateAsync(content.Length);
        await UploadAsync(file.Id, content);
        file = Done(await CompleteAsync(file.Id, SHA256.HashData(content)));
        await CarryAsync();
        return file;
    }

    public async Task UploadAsync(string id, byte[] content, int from = 0)
    {
        for (int at = from; at < content.Length; at += FileCipher.PortionSize)
            Done(await WriteAsync(id, at, content.AsMemory(at, Math.Min(FileCipher.PortionSize, content.Length - at))));
    }

    public async Task<byte[]> BlobAsync(string id)
    {
        var blob = new List<byte>();
        while (true)
        {
            // Another length than the portions'.
            var read = Assert.IsType<FileReply.Read>(await A.Relay.Files.ReadBlobAsync(TestRelay.Endpoint, id, blob.Count, 100_000, default));
            if (read.Data.IsEmpty) return [.. blob];
            blob.AddRange(read.Data.Span);
        }
    }

    public async Task<FileReply> WriteBlobAsync(string id, long offset, ReadOnlyMemory<byte> data)
        => await B.Relay.Files.WriteBlobAsync(TestRelay.Endpoint, id, offset, data, default);

    /// <summary>Writes a blob part by part, as a bridge does, until it ends or is refused.</summary>
    public async Task<FileReply> BringAsync(byte[] blob, string id)
    {
        var reply = await WriteBlobAsync(id, 0, default);
        while (reply is FileReply.Done { File: { NextBlobPart: > 0 } file } && file.BlobStored < blob.Length)
        {
            var rest = blob.AsMemory((int)file.BlobStored);
            reply = await WriteBlobAsync(id, file.BlobStored, rest[..Math.Min(file.NextBlobPart, rest.Length)]);
        }
        return reply;
    }

    public string IncomingId(byte[] blob) => B.Relay.Files.IncomingId(
        TestRelay.Endpoint, TestRelay.Peer, System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(blob.AsSpan(5)));

    public async Task<byte[]> DownloadAsync(string id)
    {
        var content = new List<byte>();
        while (true)
        {
            var read = Assert.IsType<FileReply.Read>(await B.Relay.Files.ReadAsync(TestRelay.Endpoint, id, content.Count, 50_000, default));
            if (read.Data.IsEmpty) return [.. content];
            content.AddRange(read.Data.Span);
        }
    }

    public static FileView Done(FileReply reply) => Assert.IsType<FileReply.Done>(reply).File;

    public async ValueTask DisposeAsync()
    {
        await A.DisposeAsync();
        await B.DisposeAsync();
    }
}
