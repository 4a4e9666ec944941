using System.CommandLine;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Endpoints;

/// <summary>The commands <c>relay endpoints export</c> and <c>relay endpoints rotate</c>: what becomes of an endpoint's identity.</summary>
internal static class ExportEndpointCommand
{
    public static Command Create()
    {
        var endpoint = new Argument<string>("endpoint") { Description = "Id or name of the endpoint." };
        var file = new Option<string>("--out", "-o")
        {
            Description = "New file for the export. A large one has further parts: FILE.1, FILE.2, …",
            HelpName = "FILE",
            Required = true,
        };
        var command = new Command("export", "Export an endpoint's identity key and what it knows of its peers' keys; never sessions.")
        {
            endpoint, file, ArchiveSeal.PassphraseFile, ArchiveSeal.PublicKey,
        }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            var request = new ExportIdentityRequest { Name = EndpointNames.Endpoint(parsed.GetRequiredValue(endpoint)) };
            if (ArchiveSeal.ReadPublicKey(parsed) is { } key) request.PublicKey = ByteString.CopyFrom(key);
            else request.Passphrase = ArchiveSeal.ReadPassphrase(parsed, isNew: true);
            await using var client = Connection.Open(parsed, TimeSpan.FromSeconds(30));
            var files = new JsonArray();
            int peers = 0, quarantined = 0;
            do
            {
                var path = PartFile(parsed.GetRequiredValue(file), files.Count);
                var part = await client.CallAsync(o => client.Endpoints.ExportIdentityAsync(request, o), cancellation);
                Write(path, part.Content.Span);
                files.Add(path);
                peers += part.Peers;
                quarantined += part.Quarantined;
                request.PageToken = part.NextPageToken;
            }
            while (request.PageToken.Length > 0);
            if (parsed.GetValue(CommonOptions.Json))
                Report.Json(new JsonObject { ["files"] = files, ["peers"] = peers, ["quarantined"] = quarantined });
            else
            {
                Console.Out.WriteLine($"The key of {EndpointNames.Id(request.Name)} and those of {peers} peers are in "
                    + $"{string.Join(", ", files.Select(f => f!.GetValue<string>()))}.");
                if (quarantined > 0) Console.Out.WriteLine($"{quarantined} conversations were left out, because their rows are damaged.");
            }
            return ExitCode.Ok;
        });
        return command;
    }

    public static Command CreateRotate()
    {
        var endpoint = new Argument<string>("endpoint") { Description = "Id or name of the endpoint." };
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask." };
        var command = new Command("rotate", "Give an endpoint a new identity key. Its sessions end; peers see a changed key.")
        {
            endpoint, yes,
        }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            var request = new RotateIdentityRequest
            {
                RequestId = Guid.NewGuid().ToString("N"), Name = EndpointNames.Endpoint(parsed.GetRequiredValue(endpoint)),
            };
            if (!parsed.GetValue(yes))
            {
                DeleteEndpointCommand.Confirm(request.Name, "A rotation", "replaces the identity key of {0}, which all peers must verify again");
            }
            await using var client = Connection.Open(parsed, TimeSpan.FromSeconds(30));
            EndpointsCommand.Show(parsed, await client.CallAsync(o => client.Endpoints.RotateIdentityAsync(request, o), cancellation));
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>The file of a part of an export.</summary>
    public static string PartFile(string path, int part) => part == 0 ? path : $"{path}.{part}";

    /// <exception cref="CommandFailure">The file exists, or cannot be written.</exception>
    private static void Write(string path, ReadOnlySpan<byte> content)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            using var stream = new FileStream(path, options);
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }
        catch (IOException e) when (File.Exists(path))
        {
            throw new CommandFailure(ExitCode.AlreadyExists, $"{path} exists already and was not changed.",
                "Choose another file with --out; an export with several parts needs FILE.1, FILE.2, … too.", inner: e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new CommandFailure(ExitCode.Failed, $"{path} cannot be written: {e.Message}", "Choose another file with --out.", inner: e);
        }
    }
}
