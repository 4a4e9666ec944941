using Relay.Cli;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.V1;
using State = Relay.V1.FileTransfer.Types.State;

namespace Relay.Gateway.Tests;

/// <summary>The commands <c>relay files</c>, from one server to another.</summary>
public sealed class FileCommandTests
{
    private const int Portion = 64 << 10;

    [Fact]
    public async Task A_file_is_sent_listed_fetched_and_deleted()
    {
        await using var stage = await FileStage.StartAsync();
        using var directory = new TempDirectory();
        var (one, two) = (await KeyAsync(stage.One, directory, "one.key"), await KeyAsync(stage.Two, directory, "two.key"));
        var content = FileStage.Content(2 * Portion + 3);
        await File.WriteAllBytesAsync(directory.File("report.pdf"), content);
        var sent = await Terminal.RunAsync(one, null, "files", "send", "e", "two", directory.File("report.pdf"), "--type", "application/pdf");
        Assert.Equal((ExitCode.Ok, ""), (sent.Code, sent.Error));
        Assert.StartsWith("Offered to the peer", sent.Out, StringComparison.Ordinal);
        // The same command sends nothing more, and says so.
        var again = await Terminal.RunAsync(one, null, "files", "send", "e/two", directory.File("report.pdf"), "--type", "application/pdf");
        Assert.StartsWith("Was offered to the peer before", again.Out, StringComparison.Ordinal);
        Assert.Equal(sent.Out.TrimEnd().Split('\n')[^1], again.Out.TrimEnd().Split('\n')[^1]);
        await stage.CarryAsync();

        var offered = (await Terminal.RunAsync(two, null, "files", "list", "e", "--json")).Json[0];
        var name = offered.GetProperty("name").GetString()!;
        Assert.Equal(("OFFERED", "report.pdf", "application/pdf"), (offered.GetProperty("state").GetString(), offered.GetProperty("fileName").GetString(), offered.GetProperty("mediaType").GetString()));
        var target = directory.File("got.pdf");
        var early = await Terminal.RunAsync(two, null, "files", "get", name, "--out", target, "--json");
        Assert.Equal((ExitCode.Refused, "FILE_WRONG_STATE"), (early.Code, early.JsonError.GetProperty("reason").GetString()));
        Assert.False(File.Exists(target + ".part"));

        await using var ours = stage.A.BridgeClient.Bridge(FileSide.Endpoint);
        await using var theirs = stage.B.BridgeClient.Bridge(FileSide.Endpoint);
        using var blob = new MemoryStream();
        await ours.DownloadBlobAsync(stage.A.Offered[0], blob);
        Assert.True(await theirs.UploadBlobAsync("one", blob));
        var table = await Terminal.RunAsync(two, null, "files", "list", "e");
        var shortName = $"e/{name.Split('/')[^1]}";
        Assert.Matches($@"{shortName} +RECEIVED +one +report\.pdf +{content.Length} ", table.Out);

        // One that was interrupted goes on, and one that is something else begins anew.
        await File.WriteAllBytesAsync(target + ".part", [1, 2, 3]);
        var wrong = await Terminal.RunAsync(two, null, "files", "get", shortName, "--out", target);
        Assert.Equal(ExitCode.Failed, wrong.Code);
        await File.WriteAllBytesAsync(target + ".part", content[..100_000]);
        var got = await Terminal.RunAsync(two, null, "files", "get", shortName, "--out", target, "--json");
        Assert.Equal((ExitCode.Ok, target), (got.Code, got.Json.GetProperty("path").GetString()));
        Assert.Equal(content, await File.ReadAllBytesAsync(target));
        Assert.False(File.Exists(target + ".part"));
        var exists = await Terminal.RunAsync(two, null, "files", "get", shortName, "--out", target);
        Assert.Equal((ExitCode.AlreadyExists, true), (exists.Code, exists.Error.Contains("not overwritten", StringComparison.Ordinal)));

        Assert.Equal(name, (await Terminal.RunAsync(two, null, "files", "rm", shortName, "--json")).Json.GetProperty("deleted")[0].GetString());
        Assert.Contains("no files", (await Terminal.RunAsync(two, null, "files", "list", "e")).Out, StringComparison.Ordinal);
        var gone = await Terminal.RunAsync(two, null, "files", "get", shortName);
        Assert.Equal((ExitCode.NotFound, true), (gone.Code, gone.Error.Contains("relay files list", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_upload_goes_on_and_a_refusal_says_what_to_do()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateEndpointAsync("e");
        using var directory = new TempDirectory();
        var bot = await KeyAsync(server, directory, "bot.key");
        await File.WriteAllBytesAsync(directory.File("a.bin"), FileStage.Content(Portion + 1));
        var refused = await Terminal.RunAsync(bot, null, "files", "send", "e", "p", directory.File("a.bin"));
        Assert.Equal(ExitCode.Refused, refused.Code);
        Assert.Contains("relay conversations start", refused.Error, StringComparison.Ordinal);
        var file = Assert.Single(await (await server.ConnectAsync(Scope.Bot)).Bot().FilesAsync("e").ToListAsync());
        Assert.Equal((State.Uploading, Portion + 1L), (file.State, file.StoredSize));
        refused = await Terminal.RunAsync(bot, null, "files", "send", "e", "p", directory.File("a.bin"));
        Assert.Contains($"Goes on: {Portion + 1} of {Portion + 1} bytes are there.", refused.Error, StringComparison.Ordinal);
        Assert.Single(await (await server.ConnectAsync(Scope.Bot)).Bot().FilesAsync("e").ToListAsync());
        foreach (var (code, command) in new (int, string[])[]
        {
            (ExitCode.Usage, ["files", "send", "e", "p", directory.File("none")]), (ExitCode.Usage, ["files", "send", "e", "p"]),
            (ExitCode.Usage, ["files", "get", "x"]), (ExitCode.Usage, ["files", "rm", "a/b/c"]), (ExitCode.Usage, ["files", "rm"]),
        })
            Assert.Equal((string.Join(' ', command), code), (string.Join(' ', command), (await Terminal.RunAsync(bot, null, command)).Code));
    }

    /// <summary>The name is the peer's: it is shown, and becomes a file in the working directory only if it can do no harm there.</summary>
    [Fact]
    public async Task A_name_of_the_peers_that_begins_with_a_dot_must_be_replaced()
    {
        await using var stage = await FileStage.StartAsync();
        using var directory = new TempDirectory();
        var one = await KeyAsync(stage.One, directory, "one.key");
        var sent = (await stage.A.Bot.SendFileToAsync("e", "two", new MemoryStream([1]), ".bashrc")).Response;
        var refused = await Terminal.RunAsync(one, null, "files", "get", sent.Name);
        Assert.Equal((ExitCode.Usage, true), (refused.Code, refused.Error.Contains("--out", StringComparison.Ordinal)));
        Assert.Equal(ExitCode.Ok, (await Terminal.RunAsync(one, null, "files", "get", sent.Name, "-o", directory.File("rc"))).Code);
    }

    private static async Task<Dictionary<string, string>> KeyAsync(TestServer server, TempDirectory directory, string file)
    {
        await File.WriteAllTextAsync(directory.File(file), await server.CreateKeyAsync(Scope.Bot));
        return new() { ["RELAY_SERVER"] = server.Address.ToString(), ["RELAY_KEY_FILE"] = directory.File(file) };
    }
}
