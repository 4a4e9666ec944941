using System.CommandLine;
using System.Globalization;
using Relay.Client;
using Relay.V1;
using State = Relay.V1.FileTransfer.Types.State;

namespace Relay.Cli.Files;

/// <summary>The command group <c>relay files</c>: send, list, get, delete.</summary>
internal static class FilesCommand
{
    /// <summary>Of a download that is not complete.</summary>
    private const string PartSuffix = ".part";

    public static Command Create() => new("files", "Send files to peers, and get those that peers send (docs/files.md). Needs a bot's key.")
    {
        SendFileCommand.Create(), CreateList(), CreateGet(), CreateDelete(),
    };

    private static Command CreateList()
    {
        var endpoint = new Argument<string>("endpoint") { Description = "Id or name of the endpoint." };
        var command = new Command("list", "List an endpoint's files, the sent and the received.") { endpoint }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var all = await client.Bot().FilesAsync(EndpointNames.Endpoint(parsed.GetRequiredValue(endpoint)), cancellation)
                .ToListAsync(cancellation);
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToArray(all));
            else Report.Table(["FILE", "STATE", "PEER", "NAME", "BYTES", "KEPT UNTIL"],
                all.Select(f => new[] { Short(f.Name), Word(f), f.Peer, f.FileName, Bytes(f), Times.Say(f.ExpireTime) }),
                "This endpoint has no files.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateGet()
    {
        var name = new Argument<string>("file") { Description = "endpoint/file, as 'relay files list' shows it, or its full name." };
        var path = new Option<string?>("--out", "-o")
        {
            Description = "Where to write it. Default: in this directory, under the name that the peer gave it.", HelpName = "FILE",
        };
        var command = new Command("get", "Download a file that has been received. The same command goes on where it was interrupted.")
        {
            name, path,
        }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            bool json = parsed.GetValue(CommonOptions.Json);
            await using var client = Connection.Open(parsed);
            var bot = client.Bot();
            var file = await bot.GetFileAsync(Full(parsed.GetRequiredValue(name)), cancellation);
            var target = Path.GetFullPath(parsed.GetValue(path) ?? NameOf(file));
            if (Path.Exists(target)) throw new CommandFailure(ExitCode.AlreadyExists, $"{target} exists, and is not overwritten.", "Name another with --out.");
            if (file.State is not (State.Received or State.Sent))
                throw new CommandFailure(ExitCode.Refused, $"The file is {Word(file)}: all of it must have come first.", reason: "FILE_WRONG_STATE");
            var part = target + PartSuffix;
            try
            {
                await TransferProgress.ShowAsync(json, file.FileName, file.Size, async moved =>
                {
                    await using var destination = new CountingStream(new FileStream(part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None), moved);
                    await bot.DownloadFileAsync(file, destination, cancellation);
                    return true;
                });
            }
            catch (InvalidDataException e)
            {
                File.Delete(part);
                throw new CommandFailure(ExitCode.Failed, $"{part} was something else than this file, and was deleted.", "Run the command again.", inner: e);
            }
            File.Move(part, target, overwrite: false);
            if (json)
            {
                var node = Report.ToNode(file);
                node["path"] = target;
                Report.Json(node);
            }
            else Console.Out.WriteLine(target);
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateDelete()
    {
        var names = new Argument<string[]>("file")
        {
            Description = "endpoint/file, as 'relay files list' shows it, or full names.", Arity = ArgumentArity.OneOrMore,
        };
        var command = new Command("delete", "Delete files with their keys. What the peer has got stays with it.") { names }.WithServer();
        command.Aliases.Add("rm");
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var all = parsed.GetRequiredValue(names).Select(Full).ToList();
            foreach (var name in all) await client.Bot().DeleteFileAsync(name, cancellation);
            if (parsed.GetValue(CommonOptions.Json))
                Report.Json(new System.Text.Json.Nodes.JsonObject { ["deleted"] = new System.Text.Json.Nodes.JsonArray([.. all]) });
            else Console.Out.WriteLine(all.Count == 1 ? $"Deleted {Short(all[0])}." : $"Deleted {all.Count} files.");
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>The peer's name for a file. It has no directories; one that begins with a dot could become somebody's configuration.</summary>
    private static string NameOf(FileTransfer file) => file.FileName is [not '.', ..] && Path.GetFileName(file.FileName) == file.FileName
        ? file.FileName
        : throw new CommandFailure(ExitCode.Usage, $"The peer calls the file {Report.Safe(file.FileName)}.", "Name it yourself, with --out.");

    /// <exception cref="CommandFailure">It is no name of a file.</exception>
    private static string Full(string text) => text.Split('/') switch
    {
        ["endpoints", _, "files", _] => text,
        [{ Length: > 0 } endpoint, { Length: > 0 } file] => $"endpoints/{endpoint}/files/{file}",
        _ => throw new CommandFailure(ExitCode.Usage, $"{Report.Safe(text)} is not the name of a file: write endpoint/file, as 'relay files list' shows it."),
    };

    private static string Short(string name) => name.Split('/') is ["endpoints", var endpoint, "files", var file] ? $"{endpoint}/{file}" : name;

    private static string Word(FileTransfer file)
    {
        var word = file.State.ToString().ToUpperInvariant();
        return file.Reason.Length > 0 ? $"{word} ({file.Reason})" : word;
    }

    private static string Bytes(FileTransfer file) => file.StoredSize == file.Size
        ? file.Size.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{file.StoredSize} of {file.Size}");
}
