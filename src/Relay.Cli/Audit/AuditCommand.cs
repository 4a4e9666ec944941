using System.CommandLine;
using System.Globalization;
using Relay.Client;
using Relay.Gateway.Audit;
using Relay.Gateway.Auth;
using Relay.V1;
using AuditEntry = Relay.Gateway.Audit.AuditEntry;
using AuditKind = Relay.Gateway.Audit.AuditKind;

namespace Relay.Cli.Audit;

/// <summary>The command group <c>relay audit</c>: lists the audit log, and checks that it is whole.</summary>
internal static class AuditCommand
{
    private const int PageSize = 1000;

    public static Command Create() => new("audit", "List the audit log, and check that nothing in it was changed or removed.")
    {
        CreateList(), CreateVerify(),
    };

    private static Command CreateList()
    {
        var last = new Option<int>("--last")
        {
            Description = "How many entries, the latest; 0: all that are kept.", HelpName = "NUMBER", DefaultValueFactory = _ => 50,
        };
        var command = new Command("list", "List who did what, the oldest first. Neither peers nor any content is in it.")
        {
            last,
        }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            int wanted = parsed.GetValue(last);
            if (wanted < 0) throw new CommandFailure(ExitCode.Usage, "--last must be 0 or a positive number.");
            await using var client = Connection.Open(parsed);
            ulong after = 0;
            if (wanted > 0)
            {
                var end = await client.CallAsync(
                    o => client.Admin.ListAuditEntriesAsync(new ListAuditEntriesRequest { PageSize = 1 }, o), cancellation);
                after = end.LastSequence > (ulong)wanted ? end.LastSequence - (ulong)wanted : 0;
            }
            var all = await ReadAsync(client, after, cancellation);
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToArray(all));
            else Report.Table(["ENTRY", "TIME", "WHO", "WHAT", "RESOURCE", "RESULT"], all.Select(e => new[]
            {
                e.Sequence.ToString(CultureInfo.InvariantCulture), e.CreateTime is { } time ? $"{time.ToDateTime():u}" : "",
                e.Caller.Length > 0 ? e.Caller : "server", What(e), e.Resource, Result(e),
            }), "The audit log is empty.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateVerify()
    {
        var file = new Option<string?>("--head")
        {
            Description = "A file in which the command remembers the last entry. The next check, with the same file, notices if the log was "
                + "cut off or replaced since. Keep it where nobody reaches it who reaches the server.",
            HelpName = "FILE",
        };
        var command = new Command("verify", "Check that no entry of the audit log was changed, moved or removed.") { file }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = parsed.GetValue(file);
            var chain = new AuditChain(path is not null && File.Exists(path) ? ReadHead(path) : null);
            await using var client = Connection.Open(parsed);
            foreach (var entry in await ReadAsync(client, 0, cancellation)) chain.Add(entry.Sequence, Parse(entry));
            chain.Complete();
            if (parsed.GetValue(CommonOptions.Json))
            {
                Report.Json(new System.Text.Json.Nodes.JsonObject
                {
                    ["entries"] = chain.Count, ["head"] = chain.Head.ToString(),
                    ["findings"] = new System.Text.Json.Nodes.JsonArray([.. chain.Findings.Select(f => (System.Text.Json.Nodes.JsonNode)f)]),
                });
            }
            else
            {
                foreach (var finding in chain.Findings) Console.Out.WriteLine(finding);
                if (chain.Findings.Count == 0) Console.Out.WriteLine($"{chain.Count} entries are whole. Last: {chain.Head}");
            }
            if (chain.Findings.Count > 0) return ExitCode.Failed;
            if (path is not null) PrivateFile.Write(path, System.Text.Encoding.ASCII.GetBytes(chain.Head + "\n"));
            return ExitCode.Ok;
        });
        return command;
    }

    private static AuditHead ReadHead(string path)
    {
        try
        {
            return AuditHead.Parse(File.ReadAllText(path)) ?? throw new CommandFailure(ExitCode.Usage,
                $"{path} does not contain the last entry of an audit log.", "Name another file with --head, or remove this one if you know why.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Failed, $"{path} cannot be read: {e.Message}", inner: e);
        }
    }

    private static Task<List<V1.AuditEntry>> ReadAsync(RelayClient client, ulong after, CancellationToken cancellation) =>
        Pages.AllAsync<V1.AuditEntry>(async token =>
        {
            var request = new ListAuditEntriesRequest { PageSize = PageSize, PageToken = token, AfterSequence = token.Length > 0 ? 0 : after };
            var page = await client.CallAsync(o => client.Admin.ListAuditEntriesAsync(request, o), cancellation);
            return (page.AuditEntries, page.NextPageToken);
        });

    /// <summary>The entry whose text is hashed; null if it does not open, or is not the one that its hash is of.</summary>
    private static AuditEntry? Parse(V1.AuditEntry message)
    {
        if (message.Damaged || message.CreateTime is null) return null;
        var entry = new AuditEntry(message.Sequence, message.CreateTime.ToDateTimeOffset(), (AuditKind)message.Kind,
            Convert.ToHexStringLower(message.PreviousHash.Span))
        {
            Caller = message.Caller, Method = message.Method, Resource = message.Resource, Status = message.Status,
            Count = message.Count, Refers = message.Refers,
        };
        return entry.Hash() == Convert.ToHexStringLower(message.Hash.Span) ? entry : null;
    }

    private static string What(V1.AuditEntry e) => e.Damaged ? "damaged"
        : e.Method.Length > 0 ? e.Method : e.Kind.ToString().ToLowerInvariant();

    private static string Result(V1.AuditEntry e) => e.Kind switch
    {
        V1.AuditKind.Done => $"{e.Refers} created it",
        V1.AuditKind.Failed => $"{e.Refers} failed: {(Grpc.Core.StatusCode)e.Status}",
        V1.AuditKind.Refused => $"{e.Count} calls refused",
        V1.AuditKind.Trimmed => $"entries to {e.Refers} removed",
        V1.AuditKind.Broken => $"entry {e.Refers} was seen and is gone",
        _ => "",
    };
}
