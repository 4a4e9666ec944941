using System.Diagnostics;
using System.IO.Compression;
using System.Xml.Linq;
using Relay.Gateway.Tests.Harness;

namespace Relay.Sdk.Tests;

/// <summary>What the packed files have in them, and that it is current and fits together. That they run is shown by the other tests.</summary>
public sealed class PackageTests
{
    private const string SetUp = "tests/setup/sdks.sh installs it.";

    [Fact]
    public async Task The_package_of_NuGet_has_licence_readme_documentation_and_symbols()
    {
        var package = await Packages.CSharpAsync();
        using var archive = await ZipFile.OpenReadAsync(package.File);
        var names = archive.Entries.Select(e => e.FullName).ToHashSet();
        Assert.Superset(new HashSet<string> { "LICENSE", "README.md", "lib/net10.0/Relay.Client.dll", "lib/net10.0/Relay.Client.xml" }, names);
        using var symbols = await ZipFile.OpenReadAsync(Path.ChangeExtension(package.File, ".snupkg"));
        Assert.Contains("lib/net10.0/Relay.Client.pdb", symbols.Entries.Select(e => e.FullName));
        await using var stream = await archive.GetEntry("Relay.Client.nuspec")!.OpenAsync();
        var described = await XDocument.LoadAsync(stream, LoadOptions.None, default);
        string Of(string name) => described.Descendants().Single(e => e.Name.LocalName == name).Value;
        Assert.Equal(("Apache-2.0", "README.md"), (Of("license"), Of("readme")));
        var needed = described.Descendants().Where(e => e.Name.LocalName == "dependency").Select(e => e.Attribute("id")!.Value);
        // A bot needs no web server.
        Assert.DoesNotContain(described.Descendants(), e => e.Name.LocalName == "frameworkReference");
        Assert.DoesNotContain(needed, n => n.Contains("AspNetCore", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_wheel_has_licence_readme_types_and_stubs()
    {
        var package = await Packages.PythonAsync();
        using var wheel = await ZipFile.OpenReadAsync(package.File);
        var names = wheel.Entries.Select(e => e.FullName).ToHashSet();
        var info = names.Single(n => n.EndsWith("/METADATA", StringComparison.Ordinal)).Split('/')[0];
        Assert.Superset(
            new HashSet<string>
            {
                "relay_otr/py.typed", "relay_otr/v1/event_pb2.py", "relay_otr/v1/event_pb2.pyi", "relay_otr/v1/event_pb2_grpc.py",
                $"{info}/LICENSE", $"{info}/METADATA",
            }, names);
        using var reader = new StreamReader(await wheel.GetEntry($"{info}/METADATA")!.OpenAsync());
        var metadata = await reader.ReadToEndAsync();
        Assert.Contains("Name: relay-otr\n", metadata, StringComparison.Ordinal);
        Assert.Contains(await File.ReadAllTextAsync(Repository.File("sdk", "python", "README.md")), metadata, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_package_of_npm_has_licence_readme_and_types_and_nothing_else()
    {
        var package = await Packages.NodeAsync();
        var root = Path.Combine(package.Directory, "node_modules", "relay-otr");
        var names = Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(root, f)).ToHashSet();
        Assert.Superset(new HashSet<string> { "LICENSE", "README.md", "package.json", "src/index.js", "src/index.d.ts", "src/relay.v1.d.ts" }, names);
        Assert.All(names, n => Assert.Matches("^(LICENSE|README.md|package.json|src/[^/]+\\.(js|d\\.ts)|protos/relay/v1/[a-z]+\\.proto)$", n));
    }

    /// <summary>The versions are one number, so that nobody has to find out which of them fit together.</summary>
    [Fact]
    public async Task All_packages_have_one_version()
    {
        var props = XDocument.Parse(await File.ReadAllTextAsync(Repository.File("Directory.Build.props")));
        var version = props.Descendants("Version").Single().Value;
        Assert.Contains($"\nversion = \"{version}\"\n", await File.ReadAllTextAsync(Repository.File("sdk", "python", "pyproject.toml")), StringComparison.Ordinal);
        Assert.Contains($"__version__ = \"{version}\"\n", await File.ReadAllTextAsync(Repository.File("sdk", "python", "src", "relay_otr", "__init__.py")),
            StringComparison.Ordinal);
        Assert.Contains($"\"version\": \"{version}\"", await File.ReadAllTextAsync(Repository.File("sdk", "node", "package.json")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sdk/python")]
    [InlineData("sdk/node")]
    [InlineData("src/Relay.Client")]
    public async Task A_package_has_the_licence_of_the_whole(string folder) =>
        Assert.Equal(await File.ReadAllTextAsync(Repository.File("LICENSE")), await File.ReadAllTextAsync(Repository.File(folder, "LICENSE")));

    [Theory]
    [InlineData("sdk/python/README.md", "examples/echo-bot-python/echo_bot.py")]
    [InlineData("sdk/node/README.md", "examples/echo-bot-node/echo-bot.mjs")]
    [InlineData("src/Relay.Client/README.md", "examples/echo-bot-csharp/Program.cs")]
    public async Task A_readme_shows_the_example(string readme, string example) =>
        Assert.Contains(await File.ReadAllTextAsync(Repository.File(example)) + "```\n", await File.ReadAllTextAsync(Repository.File(readme)), StringComparison.Ordinal);

    [Fact]
    public async Task The_stubs_are_those_of_the_protos()
    {
        var protoc = await VersionOfProtocAsync();
        Assert.SkipUnless(protoc is not null, $"protoc or grpc_python_plugin is missing: {SetUp}");
        Assert.SkipUnless(protoc == "libprotoc 3.21.12", $"The stubs were made by protoc 3.21.12; this is {protoc}.");
        await Packages.NodeAsync();
        using var directory = new TempDirectory();
        Directory.CreateDirectory(Path.Combine(directory.Path, "python", "src", "relay_otr"));
        Directory.CreateDirectory(Path.Combine(directory.Path, "node", "src"));
        await Packages.RunAsync("bash", Repository.Root, "sdk/make-stubs.sh", directory.Path);
        var made = Directory.EnumerateFiles(directory.Path, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(directory.Path, f)).ToList();
        Assert.InRange(made.Count, 30, 100);
        foreach (var file in made)
        {
            var kept = Repository.File("sdk", file);
            Assert.True(File.Exists(kept) && await File.ReadAllTextAsync(kept) == await File.ReadAllTextAsync(Path.Combine(directory.Path, file)),
                $"sdk/{file} is not what the protos make: run sdk/make-stubs.sh.");
        }
        foreach (var folder in new[] { "python/src/relay_otr/v1", "node/protos/relay/v1" })
        {
            var there = Directory.GetFiles(Repository.File("sdk", folder)).Select(f => $"{folder}/{Path.GetFileName(f)}");
            Assert.Empty(there.Except(made));
        }
    }

    [Fact]
    public async Task The_types_for_Python_are_right()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/mypy"), $"mypy is missing: {SetUp}");
        using var cache = new TempDirectory();
        await Packages.RunAsync("/usr/bin/mypy", Repository.File("sdk", "python"), "--cache-dir", cache.Path, "--no-error-summary");
        // What a bot's author sees who checks strictly, with the package in MYPYPATH, and not among the system's, whose errors are not shown.
        var settings = Path.Combine(cache.Path, "mypy.ini");
        await File.WriteAllTextAsync(settings, """
            [mypy]
            strict = True
            [mypy-grpc.*,google.*]
            ignore_missing_imports = True
            [mypy-relay_otr.*]
            ignore_errors = True
            """);
        var info = new ProcessStartInfo("/usr/bin/mypy",
        [
            "--config-file", settings, "--cache-dir", cache.Path, "--no-error-summary",
            Repository.File("examples", "echo-bot-python", "echo_bot.py"), Repository.File("examples", "verify-bot-python", "verify_bot.py"),
        ]);
        info.Environment["MYPYPATH"] = (await Packages.PythonAsync()).Directory;
        var result = await Terminal.RunAsync(info, null);
        Assert.True(result.Code == 0, result.Out + result.Error);
    }

    [Fact]
    public async Task The_types_for_Node_are_right()
    {
        await Packages.NodeAsync();
        await Packages.RunAsync("node", Repository.File("sdk", "node"), "node_modules/typescript/bin/tsc", "-p", ".");
    }

    private static async Task<string?> VersionOfProtocAsync()
    {
        var found = await Terminal.RunAsync(new ProcessStartInfo("sh", ["-c", "command -v grpc_python_plugin >/dev/null && protoc --version"]), null);
        return found.Code == 0 ? found.Out.Trim() : null;
    }
}
