using System.Diagnostics;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Rpc;
using Grpc.Health.V1;
using Grpc.Reflection.V1;
using GrpcTests.Echo;

namespace GrpcTests;

/// <summary>Programs of other gRPC implementations: where they are, whether they can run, and running them.</summary>
internal static class ForeignProgram
{
    // The system's own: others that may be first on the path have no grpcio.
    private const string Python = "/usr/bin/python3";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly Lazy<Task<bool>> HasPython = new(() => CanRunAsync(Python, "-c", "import grpc, google.protobuf"));
    private static readonly Lazy<Task<bool>> HasNode = new(() => CanRunAsync("node", "-e", $"require('{Path.Combine(Clients, "js")}/node_modules/@grpc/grpc-js')"));

    private static string Root { get; } = FindRoot();

    private static string Clients => Path.Combine(Root, "tests", "Relay.Grpc.Tests", "Clients");

    /// <summary>Runs one scenario of the grpcio client; fails unless it exits with 0.</summary>
    public static async Task RunPythonClientAsync(Uri server, string scenario, string? caFile)
    {
        Assert.SkipUnless(await HasPython.Value, "python3-grpcio is not installed (tests/setup/grpc-clients.sh)");
        using var descriptors = new TemporaryFile(Descriptors());
        await RunAsync(Python, [Path.Combine(Clients, "python", "client.py"), Target(server, caFile), descriptors.Path, scenario, .. Optional(caFile)]);
    }

    /// <summary>Runs one scenario of the grpc-js client; fails unless it exits with 0.</summary>
    public static async Task RunNodeClientAsync(Uri server, string scenario, string? caFile)
    {
        Assert.SkipUnless(await HasNode.Value, "Node.js with @grpc/grpc-js is not installed (tests/setup/grpc-clients.sh)");
        await RunAsync("node", [Path.Combine(Clients, "js", "client.js"), Target(server, caFile), Path.Combine(Root, "protos"), scenario, .. Optional(caFile)]);
    }

    /// <summary>Starts the grpcio server; the caller ends it by closing its standard input.</summary>
    public static async Task<Process> StartPythonServerAsync(string descriptorFile)
    {
        Assert.SkipUnless(await HasPython.Value, "python3-grpcio is not installed (tests/setup/grpc-clients.sh)");
        return Start(Python, [Path.Combine(Clients, "python", "server.py"), descriptorFile]);
    }

    /// <summary>A serialised FileDescriptorSet of what the scenarios use.</summary>
    public static byte[] Descriptors()
    {
        var set = new FileDescriptorSet();
        var seen = new HashSet<string>();
        foreach (FileDescriptor file in new[] { EchoReflection.Descriptor, HealthReflection.Descriptor, ReflectionReflection.Descriptor, StatusReflection.Descriptor, ErrorDetailsReflection.Descriptor })
            Add(file);
        return set.ToByteArray();

        void Add(FileDescriptor file)
        {
            if (!seen.Add(file.Name))
                return;
            foreach (FileDescriptor dependency in file.Dependencies)
                Add(dependency);
            set.File.Add(file.ToProto());
        }
    }

    private static string Target(Uri server, string? caFile) => $"{(caFile is null ? "127.0.0.1" : "localhost")}:{server.Port}";

    private static string[] Optional(string? argument) => argument is null ? [] : [argument];

    private static async Task RunAsync(string program, string[] arguments)
    {
        (int exitCode, string output) = await ExecuteAsync(program, arguments);
        Assert.True(exitCode == 0, $"{program} exited with {exitCode}:\n{output}");
    }

    private static async Task<bool> CanRunAsync(string program, params string[] arguments)
    {
        try
        {
            return (await ExecuteAsync(program, arguments)).ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static async Task<(int ExitCode, string Output)> ExecuteAsync(string program, string[] arguments)
    {
        using Process process = Start(program, arguments);
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await errors);
    }

    private static Process Start(string program, string[] arguments) => Process.Start(new ProcessStartInfo(program, arguments)
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        StandardOutputEncoding = Encoding.UTF8,
    })!;

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Relay.sln")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("The tests do not run inside the repository.");
    }
}

/// <summary>A file in the system's folder for them, gone with its owner.</summary>
internal sealed class TemporaryFile : IDisposable
{
    public TemporaryFile(byte[] content) => File.WriteAllBytes(Path, content);

    public string Path { get; } = System.IO.Path.GetTempFileName();

    public void Dispose() => File.Delete(Path);
}
