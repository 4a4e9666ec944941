using System.Security.Cryptography;
using Relay.Gateway.Tests.Harness;
using Relay.V1;
using State = Relay.V1.FileTransfer.Types.State;

namespace Relay.Sdk.Tests;

/// <summary>Files that a bot in Python or for Node.js sends and gets, on a server whose peer is another server.</summary>
public sealed class FileMethodTests
{
    private const int Portion = 64 << 10;

    [Theory]
    [InlineData("python", "files.py")]
    [InlineData("node", "files.mjs")]
    public async Task Files_are_sent_listed_fetched_and_deleted(string language, string program)
    {
        await using var stage = await FileStage.StartAsync();
        using var directory = new TempDirectory();
        var key = directory.File("bot.key");
        await File.WriteAllTextAsync(key, await stage.One.CreateKeyAsync(Scope.Bot));
        byte[] ours = FileStage.Content(2 * Portion + 1), theirs = FileStage.Content(3 * Portion);
        await File.WriteAllBytesAsync(directory.File("content"), ours);
        // A download that was interrupted, one of something else, and one that is longer than the file.
        await File.WriteAllBytesAsync(directory.File("part"), theirs[..100_000]);
        await File.WriteAllBytesAsync(directory.File("wrong"), [1, 2, 3]);
        await File.WriteAllBytesAsync(directory.File("longer"), [.. theirs, 1]);

        var sent = (await stage.B.Bot.SendFileToAsync("e", "one", new MemoryStream(theirs), "to bot.bin", "image/png")).Response;
        await stage.CarryAsync();
        await using var carrier = stage.B.BridgeClient.Bridge(FileSide.Endpoint);
        await using var taker = stage.A.BridgeClient.Bridge(FileSide.Endpoint);
        using var blob = new MemoryStream();
        await carrier.DownloadBlobAsync(sent.Name, blob);
        Assert.True(await taker.UploadBlobAsync("two", blob));

        using var bot = await BotProcess.StartProgramAsync(
            language, Repository.File("tests", "Relay.Sdk.Tests", "programs", program), stage.One.Address.ToString(), key, null, Path.GetDirectoryName(key)!);
        await bot.WaitForExitAsync();
        Assert.True(bot.ExitCode == 0, bot.Output);
        Assert.Equal(
            [
                "event to bot.bin image/png two", "sent SENT True", "empty SENT 0", "listed ['empty', 'from bot.bin', 'to bot.bin']",
                $"got {Convert.ToHexStringLower(SHA256.HashData(theirs))}", "wrong True", "longer True", "refused CONVERSATION_NOT_FOUND", "deleted FILE_NOT_FOUND",
            ], bot.Output.Trim().Split('\n'));
        await stage.CarryAsync();
        var told = (await stage.B.EventsAsync()).Where(e => e.EventCase == Event.EventOneofCase.FileChanged).Select(e => e.FileChanged.File).ToList();
        Assert.Equal([("from bot.bin", State.Offered), ("empty", State.Offered)], told.Select(f => (f.FileName, f.State)));
        Assert.Equal(SHA256.HashData(ours), told[0].Sha256.ToByteArray());
    }
}
