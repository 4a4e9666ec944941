using System.Buffers.Binary;
using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using Relay.Client;
using Relay.V1;
using State = Relay.V1.FileTransfer.Types.State;

namespace Relay.Cli.Files;

/// <summary>The command <c>relay files send</c>: uploads a file and offers it to a peer.</summary>
internal static class SendFileCommand
{
    public static Command Create()
    {
        var endpoint = PeerArguments.Endpoint();
        var peer = PeerArguments.Peer();
        var path = new Argument<string?>("file") { Description = "The file, of at most 64 MiB.", Arity = ArgumentArity.ZeroOrOne };
        var name = new Option<string?>("--name", "-n")
        {
            Description = "The name that the peer is told. Default: the file's own.", HelpName = "NAME",
        };
        var type = new Option<string>("--type")
        {
            Description = "Its media type, such as image/png, for the peer.", HelpName = "TYPE", DefaultValueFactory = _ => "",
        };
        var id = new Option<string?>("--request-id")
        {
            Description = "Idempotency key. Default: one of the peer, the name and the content, so that the same command goes on with an upload "
                + "that was interrupted, and sends nothing twice while the file is kept.",
            HelpName = "ID",
        };
        var command = new Command("send", "Send a file to a peer with whom a private session is established.")
        {
            endpoint, peer, path, name, type, id,
        }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            var (parent, address, file) =
                PeerArguments.Read(parsed.GetRequiredValue(endpoint), parsed.GetValue(peer), parsed.GetValue(path), "The file");
            if (!File.Exists(file)) throw new CommandFailure(ExitCode.Usage, $"There is no file {file}.");
            bool json = parsed.GetValue(CommonOptions.Json);
            await using var client = Connection.Open(parsed);
            await using var content = File.OpenRead(file);
            var fileName = parsed.GetValue(name) ?? Path.GetFileName(file);
            var create = new CreateFileRequest
            {
                Parent = parent, Peer = address, FileName = fileName, MediaType = parsed.GetValue(type)!, Size = content.Length,
                RequestId = parsed.GetValue(id) ?? await RequestIdAsync(address, fileName, content, cancellation),
            };
            var begun = await client.CallAsync(o => client.Files.CreateFileAsync(create, o), cancellation);
            if (begun.State == State.Sent) return Tell(json, begun, "Was offered to the peer before. With another --request-id it is sent again.");
            if (begun.StoredSize > 0 && !json)
                Console.Error.WriteLine($"Goes on: {begun.StoredSize} of {begun.Size} bytes are there.");
            var outcome = await TransferProgress.ShowAsync(json, fileName, content.Length, async moved =>
            {
                await using var counting = new CountingStream(content, moved);
                return await client.Bot(parent).SendFileToAsync(
                    parent, address, counting, fileName, create.MediaType!, create.RequestId, cancellation);
            });
            if (outcome.Refusal is { } refusal) throw Failure(refusal);
            return Tell(json, outcome.Response!, outcome.Response!.Url.Length > 0
                ? "Offered to the peer, with a link to the encrypted file." : "Offered to the peer; the bridge brings it.");
        });
        return command;
    }

    private static CommandFailure Failure(RelayException refusal) => refusal.Reason is "ENCRYPTION_REQUIRED" or "CONVERSATION_NOT_FOUND"
        ? new CommandFailure(ExitCode.Refused, refusal.Message,
            "The file is uploaded. 'relay conversations start' offers a session; then run this command again.", refusal.Reason, refusal)
        : CommandFailure.From(refusal);

    private static int Tell(bool json, FileTransfer file, string sentence)
    {
        if (json) Report.Json(Report.ToNode(file));
        else
        {
            Console.Out.WriteLine(sentence);
            Console.Out.WriteLine(file.Name);
        }
        return ExitCode.Ok;
    }

    private static async Task<string> RequestIdAsync(string peer, string name, FileStream content, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var length = new byte[sizeof(int)];
        foreach (var part in (byte[][])[Encoding.UTF8.GetBytes(peer), Encoding.UTF8.GetBytes(name), await SHA256.HashDataAsync(content, cancellation)])
        {
            BinaryPrimitives.WriteInt32BigEndian(length, part.Length);
            hash.AppendData(length);
            hash.AppendData(part);
        }
        return "file-" + Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
