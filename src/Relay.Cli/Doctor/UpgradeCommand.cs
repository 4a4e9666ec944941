using System.CommandLine;
using System.Globalization;
using Relay.Cli.Serve;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;
using Relay.Storage;
using Relay.Storage.Files;

namespace Relay.Cli.Doctor;

/// <summary>
/// The command <c>relay upgrade --check</c>: whether this program can take the place of the one that uses a store. It changes nothing.
/// </summary>
internal static class UpgradeCommand
{
    public static Command Create()
    {
        var check = new Option<bool>("--check")
        {
            Description = "Only check: schema, settings, API keys and, of a cluster, nodes and database. Exit code 1 if something must be mended first.",
            Required = true,
        };
        var command = new Command("upgrade",
            "Check whether this version can run with the store, the settings and the nodes of the version that runs now. Changes nothing; "
            + "an upgrade itself is to stop the old version and to start this one.")
        {
            check,
        };
        ServerSwitches.AddAllTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            if (!parsed.GetValue(check)) throw new CommandFailure(ExitCode.Usage, "Say --check: it is all that this command does.");
            using var configuration = ServerSwitches.Configuration(parsed);
            var (options, _) = RelayOptionsValidator.Read(configuration);
            var mistakes = HostedBridge.Check(configuration).Mistakes;
            List<Finding> found = [new("this version", Verdict.Ok, ServerInfo.Version), .. Settings(mistakes)];
            if (options.IsClustered)
            {
                if (mistakes.Count == 0) found.AddRange(await ClusterAsync(options, cancellation));
            }
            else
            {
                found.AddRange(Single(options));
            }
            return DoctorCommand.Tell(parsed, found, "This version can start.");
        });
        return command;
    }

    private static IEnumerable<Finding> Settings(IReadOnlyList<string> mistakes) => mistakes.Count == 0
        ? [new("settings", Verdict.Ok, "each is known and has a valid value")]
        : mistakes.Select(m => new Finding("settings", Verdict.Problem, m, "'relay config show' shows every setting and its source."));

    private static List<Finding> Single(RelayOptions options)
    {
        var path = Path.Combine(options.DataDirectory, DataDirectory.DatabaseName);
        bool isServed = DirectoryChecks.IsServed(options.DataDirectory);
        var found = new List<Finding>();
        try
        {
            found.Add(Schema(StoreVersions.OfSqlite(path, isServed)));
            if (Directory.Exists(options.DataDirectory)) ApiKeyFile.Open(options.DataDirectory);
            found.Add(new("API keys", Verdict.Ok, "can be read"));
        }
        catch (RelayStartException e)
        {
            found.Add(new("store", Verdict.Problem, e.Message, "'relay doctor' looks further."));
        }
        found.Add(new("server", Verdict.Ok, isServed ? "runs; stop it before this version starts" : "no server uses the directory"));
        return found;
    }

    private static async Task<List<Finding>> ClusterAsync(RelayOptions options, CancellationToken cancellation)
    {
        // What the doctor looks at, but for what it says of a schema and of nodes that are this version's.
        List<Finding> found = [.. (await ClusterChecks.RunAsync(options, cancellation)).Where(f => f.Check is not ("schema" or "nodes"))];
        try
        {
            var versions = await StoreVersions.OfPostgresAsync(options.Database!, cancellation);
            found.Add(Schema(versions));
            found.Add(Nodes(versions));
        }
        catch (RelayStartException e)
        {
            found.Add(new("store", Verdict.Problem, e.Message, "'relay doctor' looks further."));
        }
        return found;
    }

    private static Finding Schema(StoreVersions versions) => versions.Schema is not { } schema
        ? new("schema", Verdict.Ok, "there is no store yet: the first start creates it")
        : schema > versions.Supported ? new("schema", Verdict.Problem, string.Create(CultureInfo.InvariantCulture,
            $"Version {schema}, of a newer Relay; this one supports versions up to {versions.Supported}."),
            "Use that one, or restore a backup that an older one made into an empty store.")
        : schema == versions.Supported ? new("schema", Verdict.Ok, string.Create(CultureInfo.InvariantCulture, $"version {schema}, as this Relay's"))
        : new("schema", Verdict.Warning, string.Create(CultureInfo.InvariantCulture,
            $"Version {schema}; the first start of this Relay changes it to {versions.Supported}, and older versions refuse to start after that."),
            "Make a backup first, with the version that runs now: 'relay backup'.");

    private static Finding Nodes(StoreVersions versions)
    {
        var nodes = string.Join(", ", versions.Nodes.Select(n => $"{n.Node.Address[(n.Node.Address.LastIndexOf('@') + 1)..]} ({n.Version})"));
        if (versions.Nodes.Count == 0) return new("nodes", Verdict.Ok, "none runs");
        return versions.Nodes.Any(n => Major(n.Version) != Major(ServerInfo.Version))
            ? new("nodes", Verdict.Problem, $"Nodes of another major version run: {nodes}. They and this version do not understand each other.",
                "Stop all nodes, and start this version then.")
            : new("nodes", Verdict.Ok, $"{nodes}: stop and start one after the other");
    }

    private static string Major(string version) => version.Split('.')[0];
}
