using System.CommandLine;
using System.Security.Cryptography;
using Google.Protobuf;
using Otr.Core;
using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Endpoints;

/// <summary>
/// The command <c>relay endpoints import</c>: an export of Relay in all its parts, or accounts of a key file of libotr or another program
/// (<see cref="AccountImport"/>).
/// </summary>
internal static class ImportEndpointCommand
{
    private static readonly Argument<string> s_file = new("file")
    {
        Description = "An export of 'relay endpoints export', or a key file of another program, such as libotr's otr.private_key.",
    };
    private static readonly Option<string?> s_id = new("--id")
    {
        Description = "Id of the endpoint that is created. Default: chosen by the server.",
        HelpName = "ID",
    };
    private static readonly Option<string?> s_into = new("--into")
    {
        Description = "Existing endpoint that learns the keys of the export's peers, instead of a new one.",
        HelpName = "ENDPOINT",
    };
    private static readonly Option<string?> s_account = new("--account")
    {
        Description = "The account in the key file to take.",
        HelpName = "NAME",
    };
    private static readonly Option<bool> s_all = new("--all", "-a") { Description = "Take all accounts of the key file." };
    private static readonly Option<string?> s_network = new("--network")
    {
        Description = "Network of the account. Default: by the client's protocol, such as xmpp for prpl-jabber.",
        HelpName = "NAME",
    };
    private static readonly Option<string?> s_address = new("--address")
    {
        Description = "Address of the account on its network. Default: the account's name without a resource or server.",
        HelpName = "ADDRESS",
    };
    private static readonly Option<string?> s_fingerprints = new("--fingerprints")
    {
        Description = "Fingerprints of contacts with their trust. Default: otr.fingerprints beside the key file, if there is one.",
        HelpName = "FILE",
    };

    public static Command Create()
    {
        var command = new Command("import", "Import an exported endpoint, or accounts of another program with its contacts' fingerprints.")
        {
            s_file, s_id, s_into, s_account, s_all, s_network, s_address, s_fingerprints, ArchiveSeal.PassphraseFile,
            ArchiveSeal.PrivateKeyFile,
        }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = parsed.GetRequiredValue(s_file);
            var file = Read(path);
            try
            {
                return SealedFile.IsSealedFile(file)
                    ? await ImportArchiveAsync(parsed, path, file, cancellation)
                    : await ImportAccountsAsync(parsed, path, file, cancellation);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(file);
            }
        });
        return command;
    }

    /// <exception cref="CommandFailure">It cannot be read, or is longer than any file that is meant.</exception>
    public static byte[] Read(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            if (stream.Length > LibotrFileLimits.MaxFileBytes)
                throw new CommandFailure(ExitCode.Usage, $"{path} is longer than {LibotrFileLimits.MaxFileBytes} bytes.");
            var file = GC.AllocateArray<byte>((int)stream.Length, pinned: true);
            stream.ReadExactly(file);
            return file;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CommandFailure(ExitCode.Usage, $"There is no file {path}.", inner: e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Usage, $"{path} cannot be read ({e.Message}).", inner: e);
        }
    }

    private static async Task<int> ImportArchiveAsync(ParseResult parsed, string path, byte[] first, CancellationToken cancellation)
    {
        RefuseAll(parsed, "is an export of Relay", s_account, s_all, s_network, s_address, s_fingerprints);
        var request = new ImportIdentityRequest
        {
            EndpointId = parsed.GetValue(s_id) ?? "",
            Name = parsed.GetValue(s_into) is { } into ? EndpointNames.Endpoint(into) : "",
            Content = UnsafeByteOperations.UnsafeWrap(first),
        };
        if (ArchiveSeal.ReadPrivateKey(parsed) is { } key) request.PrivateKey = ByteString.CopyFrom(key);
        else request.Passphrase = ArchiveSeal.ReadPassphrase(parsed, isNew: false);
        await using var client = Connection.Open(parsed, TimeSpan.FromSeconds(30));
        var total = new ImportIdentityResponse();
        for (int part = 0; !total.IsLast; part++)
        {
            if (part > 0) request.Content = ByteString.CopyFrom(ReadPart(path, part));
            request.RequestId = Guid.NewGuid().ToString("N");
            var done = await client.CallAsync(o => client.Endpoints.ImportIdentityAsync(request, o), cancellation);
            if (done.Part != part || (part > 0 && done.ExportId != total.ExportId))
            {
                throw new CommandFailure(ExitCode.Failed,
                    $"{ExportEndpointCommand.PartFile(path, part)} is part {done.Part} of {(part == 0 ? "an" : "this or another")} export, "
                    + $"not part {part}.", "What it holds was imported. Import the parts of one export, beginning with the first.");
            }
            done.Peers += total.Peers;
            done.Keys += total.Keys;
            done.Skipped += total.Skipped;
            done.WithoutRoom += total.WithoutRoom;
            total = done;
            (request.EndpointId, request.Name) = ("", done.Endpoint.Name);
        }
        if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToNode(total));
        else
        {
            EndpointsCommand.Show(parsed, total.Endpoint);
            Report.Fields([("imported", $"{total.Keys} keys of {total.Peers} peers")]);
            if (total.Skipped > 0) Report.Fields([("skipped", $"{total.Skipped} peers, whose conversations are damaged")]);
            if (total.WithoutRoom > 0) Report.Fields([("left out", $"{total.WithoutRoom} keys of peers with as many as can be known")]);
        }
        return ExitCode.Ok;
    }

    private static byte[] ReadPart(string path, int part)
    {
        var file = ExportEndpointCommand.PartFile(path, part);
        if (File.Exists(file)) return Read(file);
        throw new CommandFailure(ExitCode.Failed, $"The export has further parts, and {file} does not exist.",
            "Put all parts side by side and repeat with --into: what was imported stays.");
    }

    private static async Task<int> ImportAccountsAsync(ParseResult parsed, string path, byte[] file, CancellationToken cancellation)
    {
        RefuseAll(parsed, "is a key file of another program", s_into, ArchiveSeal.PassphraseFile, ArchiveSeal.PrivateKeyFile);
        bool all = parsed.GetValue(s_all);
        if (all && (Has(parsed, s_account) || Has(parsed, s_id) || Has(parsed, s_address)))
            throw new CommandFailure(ExitCode.Usage, "--all takes every account: --account, --id and --address are for one.");
        var fingerprints = parsed.GetValue(s_fingerprints)
            ?? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, "otr.fingerprints");
        var contacts = Has(parsed, s_fingerprints) || File.Exists(fingerprints) ? ContactKeys.Read(fingerprints) : [];
        using var content = OtrKeyFile.Read(file);
        var chosen = AccountImport.Choose(path, content, parsed.GetValue(s_account), all);
        var import = new AccountImport(contacts, parsed.GetValue(s_network), parsed.GetValue(s_address), parsed.GetValue(s_id));
        await using var client = Connection.Open(parsed, TimeSpan.FromSeconds(30));
        return await import.RunAsync(client, chosen, all ? content.Problems : [], parsed.GetValue(CommonOptions.Json), cancellation);
    }

    private static void RefuseAll(ParseResult parsed, string what, params Option[] options)
    {
        if (Array.Find(options, o => Has(parsed, o)) is { } wrong)
            throw new CommandFailure(ExitCode.Usage, $"{parsed.GetRequiredValue(s_file)} {what}: {wrong.Name} does not apply.");
    }

    private static bool Has(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };
}
