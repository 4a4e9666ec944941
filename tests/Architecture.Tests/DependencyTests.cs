using System.Reflection;
using System.Xml.Linq;

namespace Architecture.Tests;

/// <summary>Holds the arrows of the design's project table: control runs downward only.</summary>
public sealed class DependencyTests
{
    /// <summary>Project → the projects it may refer to. What is not here may not exist.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Otr.Core"] = [],
        ["Relay.Storage"] = [],
        ["Relay.Actors"] = ["Otr.Core", "Relay.Storage"],
        ["Relay.Gateway"] = ["Relay.Actors", "Relay.Storage", "Otr.Core"],
        ["Relay.Client"] = [],
        ["Relay.ChatProtocols"] = [],
        ["Relay.Bridges"] = ["Relay.Client", "Relay.ChatProtocols"],
        ["Relay.Proxy"] = ["Otr.Core", "Relay.ChatProtocols"],
        ["Relay.Cli"] =
            ["Otr.Core", "Relay.Storage", "Relay.Actors", "Relay.Gateway", "Relay.Client", "Relay.Bridges", "Relay.ChatProtocols", "Relay.Proxy"],
    };

    /// <summary>Project → the packages it may use.</summary>
    private static readonly Dictionary<string, string[]> Packages = new()
    {
        ["Otr.Core"] = ["BouncyCastle.Cryptography"],
        ["Relay.Storage"] = ["Microsoft.Data.Sqlite", "SQLitePCLRaw.bundle_e_sqlite3", "SQLitePCLRaw.core", "Npgsql"],
        ["Relay.Actors"] = ["Akka.Cluster.Hosting", "LightningDB"],
        ["Relay.Gateway"] =
        [
            "Google.Api.CommonProtos", "Google.Protobuf", "Grpc.AspNetCore", "Grpc.AspNetCore.HealthChecks", "Grpc.AspNetCore.Server.Reflection", "Grpc.StatusProto", "Grpc.Tools",
            "Microsoft.AspNetCore.Authentication.JwtBearer", "Microsoft.AspNetCore.Grpc.JsonTranscoding", "OpenTelemetry.Exporter.OpenTelemetryProtocol", "OpenTelemetry.Exporter.Prometheus.AspNetCore",
            "OpenTelemetry.Extensions.Hosting",
            "Scalar.AspNetCore",
        ],
        ["Relay.Client"] =
        [
            "Google.Api.CommonProtos", "Google.Protobuf", "Grpc.HealthCheck", "Grpc.Net.Client", "Grpc.StatusProto", "Grpc.Tools",
            "Microsoft.Extensions.Diagnostics.HealthChecks",
        ],
        ["Relay.ChatProtocols"] = ["DnsClient"],
        ["Relay.Bridges"] = [],
        ["Relay.Proxy"] = [],
        ["Relay.Cli"] = ["Microsoft.Extensions.Hosting.Systemd", "System.CommandLine", "Spectre.Console"],
    };

    public static TheoryData<string> Projects => [.. Directory.GetDirectories(Path.Combine(Repository.Root, "src")).Select(d => Path.GetFileName(d)!)];

    [Theory, MemberData(nameof(Projects))]
    public void Project_references_follow_the_design(string project)
    {
        Assert.True(Allowed.ContainsKey(project), $"src/{project} is not in the design's table: add it there and here.");
        var references = Items(project, "ProjectReference").Select(r => Path.GetFileNameWithoutExtension(r));
        Assert.Empty(references.Except(Allowed[project]));
    }

    [Theory, MemberData(nameof(Projects))]
    public void Package_references_follow_the_design(string project) => Assert.Empty(Items(project, "PackageReference").Except(Packages[project]));

    /// <summary>What the compiler really bound to: a transitive reference can be used without being named.</summary>
    [Theory, MemberData(nameof(Projects))]
    public void Compiled_references_follow_the_design(string project)
    {
        var assembly = Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, (project == "Relay.Cli" ? "relay" : project) + ".dll"));
        var ours = assembly.GetReferencedAssemblies().Select(a => a.Name!).Where(n => Allowed.ContainsKey(n));
        Assert.Empty(ours.Except(Allowed[project]));
    }

    /// <summary>A bot is a console program: the SDK must not ask for the runtime of a web server.</summary>
    [Fact]
    public void The_SDK_needs_no_ASP_NET_Core()
    {
        Assert.Empty(Items("Relay.Client", "FrameworkReference"));
        var assembly = Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, "Relay.Client.dll"));
        Assert.DoesNotContain(assembly.GetReferencedAssemblies(), a => a.Name!.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal));
        // Nor may a package ask for it: the lock file of a program that uses nothing but the SDK names its whole closure.
        var closure = File.ReadAllText(Path.Combine(Repository.Root, "examples", "echo-bot-csharp", "packages.lock.json"));
        Assert.Contains("\"Grpc.Net.Client\"", closure, StringComparison.Ordinal);
        Assert.DoesNotContain("AspNetCore", closure, StringComparison.Ordinal);
    }

    [Fact]
    public void Otr_Core_does_no_input_or_output()
    {
        var assembly = Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, "Otr.Core.dll"));
        string[] forbidden = ["System.Net", "System.IO.FileSystem", "System.IO.Pipes", "System.Console", "System.Data", "Microsoft."];
        Assert.DoesNotContain(assembly.GetReferencedAssemblies(), a => forbidden.Any(f => a.Name!.StartsWith(f, StringComparison.Ordinal)));
        // Files, clocks and loggers live in assemblies that the core needs for other things: look at the sources.
        string[] words = ["DateTime.UtcNow", "DateTimeOffset.UtcNow", "Stopwatch", "Environment.TickCount", "System.IO.File", "File.Open", "ILogger", "Console."];
        foreach (var file in Sources("Otr.Core"))
        {
            var text = File.ReadAllText(file);
            Assert.DoesNotContain(words, w => text.Contains(w, StringComparison.Ordinal));
        }
    }

    /// <summary>
    /// What is built on BouncyCastle's field stays in one folder, and what seals archives in another; the rest sees points, scalars,
    /// signatures and sealed files only.
    /// </summary>
    [Fact]
    public void BouncyCastle_is_named_in_the_folders_of_Ed448_and_of_archives_only()
    {
        string[] folders = [.. new[] { "Ed448", "Archive" }
            .Select(f => Path.Combine(Repository.Root, "src", "Otr.Core", "Crypto", f) + Path.DirectorySeparatorChar)];
        var sources = Directory.GetDirectories(Path.Combine(Repository.Root, "src")).SelectMany(d => Sources(Path.GetFileName(d)!));
        var users = sources.Where(f => File.ReadAllText(f).Contains("BouncyCastle", StringComparison.Ordinal)).ToArray();
        Assert.All(users, f => Assert.Contains(folders, d => f.StartsWith(d, StringComparison.Ordinal)));
        Assert.All(folders, d => Assert.Contains(users, f => f.StartsWith(d, StringComparison.Ordinal)));
    }

    private static IEnumerable<string> Items(string project, string kind) =>
        XDocument.Load(Path.Combine(Repository.Root, "src", project, project + ".csproj")).Descendants(kind).Select(e => e.Attribute("Include")!.Value);

    private static IEnumerable<string> Sources(string project) =>
        Directory.EnumerateFiles(Path.Combine(Repository.Root, "src", project), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal));
}
