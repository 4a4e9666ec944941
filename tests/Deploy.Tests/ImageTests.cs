using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Relay.Cli;

namespace Deploy.Tests;

/// <summary>What the image says, held against the sources, where no engine runs. `deploy/test-compose.sh` runs it.</summary>
public sealed partial class ImageTests
{
    private static readonly string s_dockerfile = Repository.Text("deploy", "Dockerfile");

    /// <summary>A project that the restore does not see would be restored outside its lock file, or fail the build late.</summary>
    [Fact]
    public void The_image_copies_every_project_and_lock_file_before_it_restores()
    {
        var beforeRestore = s_dockerfile[..s_dockerfile.IndexOf("RUN dotnet restore", StringComparison.Ordinal)];
        var projects = Closure("src/Relay.Cli/Relay.Cli.csproj").ToList();
        Assert.Contains("src/Otr.Core/Otr.Core.csproj", projects);
        foreach (var project in projects)
        {
            var folder = Path.GetDirectoryName(project)!;
            Assert.Contains($"COPY {project} {folder}/packages.lock.json {folder}/", beforeRestore, StringComparison.Ordinal);
            Assert.True(File.Exists(Repository.PathOf(folder, "packages.lock.json")), folder);
        }
    }

    /// <summary>.dockerignore lets nothing through but what it names.</summary>
    [Fact]
    public void Everything_that_the_image_copies_is_let_through()
    {
        var through = Repository.Text(".dockerignore").Split('\n').Where(l => l.StartsWith('!')).Select(l => l[1..].TrimEnd('/')).ToList();
        var sources = CopyLine().Matches(s_dockerfile).SelectMany(m => m.Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)[..^1]).ToList();
        Assert.Contains("src", sources);
        Assert.All(sources, s => Assert.True(through.Any(t => s == t || s.StartsWith(t + "/", StringComparison.Ordinal)), s));
        Assert.All(sources, s => Assert.True(Path.Exists(Repository.PathOf(s)), s));
    }

    /// <summary>Demos, load and benchmarks are no part of the product: neither their sources nor their commands get there.</summary>
    [Fact]
    public void Nothing_of_the_lab_gets_into_the_image()
    {
        Assert.DoesNotContain("tools", Repository.Text(".dockerignore"), StringComparison.Ordinal);
        Assert.DoesNotContain("tools/", s_dockerfile, StringComparison.Ordinal);
        Assert.DoesNotContain("Relay.Lab", s_dockerfile, StringComparison.Ordinal);
        string[] lab = ["demo", "cluster-demo", "load", "bench", "otr-peer"];
        Assert.Empty(RelayCommand.Create().Subcommands.Select(c => c.Name).Intersect(lab));
    }

    [Fact]
    public void The_images_command_is_one_that_relay_takes() => AssertParses(JsonSerializer.Deserialize<string[]>(Instruction("CMD"))!);

    [Fact]
    public void The_images_probe_is_one_that_relay_takes()
    {
        var probe = JsonSerializer.Deserialize<string[]>(s_dockerfile[(s_dockerfile.IndexOf("--retries=3 CMD ", StringComparison.Ordinal) + 16)..].Split('\n')[0])!;
        Assert.Equal("relay", probe[0]);
        AssertParses(probe[1..]);
    }

    [Fact]
    public void The_image_has_the_products_version()
    {
        var version = XDocument.Load(Repository.PathOf("Directory.Build.props")).Descendants("Version").Single().Value;
        Assert.Contains($"\nARG VERSION={version}\n", s_dockerfile, StringComparison.Ordinal);
    }

    private static void AssertParses(string[] arguments) => Assert.Empty(RelayCommand.Create().Parse(arguments).Errors.Select(e => e.Message));

    private static string Instruction(string name) =>
        s_dockerfile.Split('\n').Last(l => l.StartsWith(name + " ", StringComparison.Ordinal))[(name.Length + 1)..];

    private static IEnumerable<string> Closure(string project)
    {
        var folder = Path.GetDirectoryName(project)!;
        return XDocument.Load(Repository.PathOf(project)).Descendants("ProjectReference")
            .Select(r => Path.GetRelativePath(Repository.Root, Repository.PathOf(folder, r.Attribute("Include")!.Value)))
            .SelectMany(Closure).Append(project).Distinct();
    }

    [GeneratedRegex(@"^COPY (?!--from)(.+)$", RegexOptions.Multiline)]
    private static partial Regex CopyLine();
}
