using System.Diagnostics;
using Relay.Gateway.Tests.Harness;

namespace Relay.Sdk.Tests;

/// <summary>
/// The packages, each made as for a release and installed from the packed file into an empty directory, once for all tests. A test that
/// needs a tool that is missing is skipped, and says which.
/// </summary>
internal static class Packages
{
    // The system's own: others that may be first on the path have no grpcio.
    public const string PythonProgram = "/usr/bin/python3";
    private static readonly TempDirectory s_directory = new();
    private static readonly Lazy<Task<Installed>> s_csharp = new(InstallCSharpAsync);
    private static readonly Lazy<Task<Installed>> s_python = new(InstallPythonAsync);
    private static readonly Lazy<Task<Installed>> s_node = new(InstallNodeAsync);

    /// <summary>A packed file, and the directory that it was installed into; or what is missing for that.</summary>
    internal sealed record Installed(string File, string Directory, string? Missing);

    static Packages() => AppDomain.CurrentDomain.ProcessExit += static (_, _) => s_directory.Dispose();

    /// <summary>The package of NuGet; its directory has the echo bot, built with it.</summary>
    public static async Task<Installed> CSharpAsync() => Present(await s_csharp.Value);

    /// <summary>The wheel; its directory belongs into PYTHONPATH.</summary>
    public static async Task<Installed> PythonAsync() => Present(await s_python.Value);

    /// <summary>The archive of npm; programs in its directory find it.</summary>
    public static async Task<Installed> NodeAsync() => Present(await s_node.Value);

    private static Installed Present(Installed installed)
    {
        Assert.SkipUnless(installed.Missing is null, installed.Missing ?? "");
        return installed;
    }

    private static async Task<Installed> InstallCSharpAsync()
    {
        var output = s_directory.File("nuget");
        await RunAsync("dotnet", Repository.Root, "pack", "src/Relay.Client/Relay.Client.csproj", "--no-build", "-c", Repository.Configuration,
            "-v", "quiet", "-nologo", "-o", output);
        var package = Assert.Single(Directory.GetFiles(output, "*.nupkg"));
        var directory = Directory.CreateDirectory(s_directory.File("nuget-installed")).FullName;
        var known = (await RunAsync("dotnet", directory, "nuget", "locals", "global-packages", "--list", "--force-english-output")).Split(' ', 2)[1].Trim();
        // The package is installed beside the program, and not where it would stay for the next run; what it depends on is there already.
        await File.WriteAllTextAsync(Path.Combine(directory, "echo-bot.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <RestoreSources>{output}</RestoreSources>
                <RestorePackagesPath>packages</RestorePackagesPath>
                <RestoreFallbackFolders>{known}</RestoreFallbackFolders>
                <NuGetAudit>false</NuGetAudit>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Relay.Client" Version="*" />
              </ItemGroup>
            </Project>
            """);
        File.Copy(Repository.File("examples", "echo-bot-csharp", "Program.cs"), Path.Combine(directory, "Program.cs"));
        await RunAsync("dotnet", directory, "build", "-v", "quiet", "-nologo", "-o", Path.Combine(directory, "bin"));
        return new(package, directory, null);
    }

    private static async Task<Installed> InstallPythonAsync()
    {
        const string setUp = "tests/setup/sdks.sh installs it.";
        if (!File.Exists(PythonProgram)) return new("", "", "python3 is missing: " + setUp);
        var probe = await Terminal.RunAsync(new ProcessStartInfo(PythonProgram, ["-c", "import setuptools, wheel, pip, grpc, google.protobuf"]), null);
        if (probe.Code != 0) return new("", "", $"Python lacks grpcio, protobuf, pip, setuptools or wheel: {setUp}");
        // A build writes beside its sources.
        var source = s_directory.File("python");
        Copy(Repository.File("sdk", "python"), source);
        var output = s_directory.File("wheels");
        await RunAsync(PythonProgram, source, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", output, source);
        var wheel = Assert.Single(Directory.GetFiles(output, "*.whl"));
        var directory = s_directory.File("python-installed");
        await RunAsync(PythonProgram, source, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", directory, wheel);
        return new(wheel, directory, null);
    }

    private static async Task<Installed> InstallNodeAsync()
    {
        var source = Repository.File("sdk", "node");
        if (!Directory.Exists(Path.Combine(source, "node_modules", "@grpc", "grpc-js")))
            return new("", "", "Node.js with @grpc/grpc-js is missing: tests/setup/sdks.sh installs it.");
        var output = Directory.CreateDirectory(s_directory.File("npm")).FullName;
        await RunAsync("npm", source, "pack", "--silent", "--ignore-scripts", "--pack-destination", output);
        var archive = Assert.Single(Directory.GetFiles(output, "*.tgz"));
        var directory = Directory.CreateDirectory(s_directory.File("node-installed")).FullName;
        await File.WriteAllTextAsync(Path.Combine(directory, "package.json"), """{ "private": true }""");
        await RunAsync("npm", directory, "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", archive);
        return new(archive, directory, null);
    }

    /// <summary>Runs a program, which must succeed; returns its output.</summary>
    public static async Task<string> RunAsync(string program, string directory, params string[] arguments)
    {
        var result = await Terminal.RunAsync(new ProcessStartInfo(program, arguments) { WorkingDirectory = directory }, null);
        Assert.True(result.Code == 0, $"{program} {string.Join(' ', arguments)} ended with {result.Code}:\n{result.Out}{result.Error}");
        return result.Out;
    }

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var relative = Path.GetRelativePath(from, file);
            if (relative.Contains("__pycache__", StringComparison.Ordinal)) continue;
            var target = Path.Combine(to, relative);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
