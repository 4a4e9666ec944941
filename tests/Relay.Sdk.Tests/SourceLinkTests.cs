using System.Diagnostics;
using System.IO.Compression;
using System.Reflection.Metadata;
using System.Text.Json;
using System.Xml.Linq;
using Relay.Gateway.Tests.Harness;

namespace Relay.Sdk.Tests;

/// <summary>The package for .NET as a release makes it, from a checkout with a remote: a debugger finds the source by the symbols.</summary>
public sealed class SourceLinkTests
{
    private const string Remote = "https://github.com/example/relay";

    /// <summary>What its symbols say of the source (portable PDB, "Source Link").</summary>
    private static readonly Guid s_sourceLink = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");

    [Fact]
    public async Task The_symbols_lead_to_each_file_of_the_source()
    {
        Assert.SkipUnless((await Terminal.RunAsync(new ProcessStartInfo("git", ["--version"]), null)).Code == 0, "git is missing: apt-get install git");
        using var checkout = new TempDirectory();
        foreach (var part in new[] { "Directory.Build.props", "Directory.Packages.props", "global.json", ".editorconfig", "LICENSE", "protos", "src/Relay.Client" })
            Copy(Repository.File(part), checkout.File(part));
        foreach (var command in new string[][]
        {
            ["init", "--quiet"], ["remote", "add", "origin", Remote], ["add", "."],
            ["-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "--quiet", "--message", "A release."],
        })
        {
            await Packages.RunAsync("git", checkout.Path, command);
        }
        var revision = (await Packages.RunAsync("git", checkout.Path, "rev-parse", "HEAD")).Trim();
        await Packages.RunAsync("dotnet", checkout.Path, "pack", "src/Relay.Client/Relay.Client.csproj", "-c", "Release", "-v", "quiet", "-nologo", "-o", checkout.File("out"));

        using var package = await ZipFile.OpenReadAsync(Assert.Single(Directory.GetFiles(checkout.File("out"), "*.nupkg")));
        await using var described = await package.GetEntry("Relay.Client.nuspec")!.OpenAsync();
        var repository = (await XDocument.LoadAsync(described, LoadOptions.None, default)).Descendants().Single(e => e.Name.LocalName == "repository");
        Assert.Equal((Remote, revision), (repository.Attribute("url")!.Value, repository.Attribute("commit")!.Value));

        var (map, documents) = await ReadSymbolsAsync(Assert.Single(Directory.GetFiles(checkout.File("out"), "*.snupkg")));
        var (from, to) = Assert.Single(map);
        Assert.Equal($"https://raw.githubusercontent.com/example/relay/{revision}/*", to);
        var prefix = from.TrimEnd('*');
        // What the build made is inside the symbols.
        var written = documents.Where(d => !d.Contains("/obj/", StringComparison.Ordinal)).ToList();
        Assert.True(written.Count > 20);
        Assert.All(written, d => Assert.StartsWith(prefix + "src/Relay.Client/", d, StringComparison.Ordinal));
    }

    private static async Task<(Dictionary<string, string> Map, List<string> Documents)> ReadSymbolsAsync(string file)
    {
        using var archive = await ZipFile.OpenReadAsync(file);
        await using var entry = await archive.GetEntry("lib/net10.0/Relay.Client.pdb")!.OpenAsync();
        using var bytes = new MemoryStream();
        await entry.CopyToAsync(bytes);
        bytes.Position = 0;
        using var symbols = MetadataReaderProvider.FromPortablePdbStream(bytes);
        var reader = symbols.GetMetadataReader();
        var link = reader.GetCustomDebugInformation(EntityHandle.ModuleDefinition).Select(reader.GetCustomDebugInformation)
            .Single(i => reader.GetGuid(i.Kind) == s_sourceLink);
        var map = JsonDocument.Parse(reader.GetBlobBytes(link.Value)).RootElement.GetProperty("documents").EnumerateObject()
            .ToDictionary(p => p.Name, p => p.Value.GetString()!);
        return (map, [.. reader.Documents.Select(d => reader.GetString(reader.GetDocument(d).Name))]);
    }

    /// <summary>Copies a file or a directory, without what builds have made.</summary>
    private static void Copy(string from, string to)
    {
        if (File.Exists(from))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(from, to);
            return;
        }
        foreach (var entry in Directory.EnumerateFileSystemEntries(from).Where(e => Path.GetFileName(e) is not ("bin" or "obj")))
            Copy(entry, Path.Combine(to, Path.GetFileName(entry)));
    }
}
