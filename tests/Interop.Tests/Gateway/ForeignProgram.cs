using System.Diagnostics;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Rpc;
using Grpc.Health.V1;
using Relay.V1;

namespace Interop.Tests.Gateway;

/// <summary>Client programs of other gRPC implementations: where they are, whether they can run, and running them.</summary>
internal static class ForeignProgram
{
    // The system's own: others that may be first on the path have no grpcio.
    private const string Python = "/usr/bin/python3";
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(90);
    private static readonly Lazy<Task<bool>> s_hasPython = new(() => CanRunAsync(Python, "-c", "import grpc, google.protobuf"));
    private static readonly Lazy<Task<bool>> s_hasNode = new(() => CanRunAsync("node", "-e", $"require('{Clients("js")}/node_modules/@grpc/grpc-js')"));

    /// <summary>Runs one scenario of the grpcio client; fails unless it exits with 0.</summary>
    public static async Task RunPythonAsync(GatewayUnderTest gateway, string scenario)
    {
        using var descriptors = new TemporaryFile(Descriptors());
        await RunAsync(await PythonAsync(gateway, descriptors.Path, scenario));
    }

    /// <summary>Runs one scenario of the grpc-js client; fails unless it exits with 0.</summary>
    public static async Task RunNodeAsync(GatewayUnderTest gateway, string scenario)
    {
        Assert.SkipUnless(await s_hasNode.Value, "Node.js with @grpc/grpc-js is not installed (tests/setup/grpc-clients.sh)");
        using var descriptors = new TemporaryFile(Descriptors());
        await RunAsync(Info("node", gateway, [Path.Combine(Clients("js"), "client.js"), gateway.Target, descriptors.Path, scenario, .. gateway.TrustedFile]));
    }

    /// <summary>Starts a scenario of the grpcio client that goes on until its standard input is closed.</summary>
    public static async Task<Process> StartPythonAsync(GatewayUnderTest gateway, string descriptorFile, string scenario) =>
        Process.Start(await PythonAsync(gateway, descriptorFile, scenario))!;

    /// <summary>A serialised FileDescriptorSet of everything that the gateway serves, and of the details of its errors.</summary>
    public static byte[] Descriptors()
    {
        var set = new FileDescriptorSet();
        var seen = new HashSet<string>();
        FileDescriptor[] files =
        [
            EndpointReflection.Descriptor, ConversationReflection.Descriptor, EventReflection.Descriptor, BridgeReflection.Descriptor, AdminReflection.Descriptor,
            HealthReflection.Descriptor, Grpc.Reflection.V1.ReflectionReflection.Descriptor, Grpc.Reflection.V1Alpha.ReflectionReflection.Descriptor,
            StatusReflection.Descriptor, ErrorDetailsReflection.Descriptor,
        ];
        foreach (var file in files) Add(file);
        return set.ToByteArray();

        void Add(FileDescriptor file)
        {
            if (!seen.Add(file.Name)) return;
            foreach (var dependency in file.Dependencies) Add(dependency);
            set.File.Add(file.ToProto());
        }
    }

    private static async Task<ProcessStartInfo> PythonAsync(GatewayUnderTest gateway, string descriptorFile, string scenario)
    {
        Assert.SkipUnless(await s_hasPython.Value, "python3-grpcio is not installed (tests/setup/grpc-clients.sh)");
        return Info(Python, gateway, [Path.Combine(Clients("python"), "client.py"), gateway.Target, descriptorFile, scenario, .. gateway.TrustedFile]);
    }

    private static ProcessStartInfo Info(string program, GatewayUnderTest gateway, string[] arguments)
    {
        var info = Info(program, arguments);
        foreach (var (name, value) in gateway.Keys) info.Environment[name] = value;
        return info;
    }

    private static ProcessStartInfo Info(string program, string[] arguments) => new(program, arguments)
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        StandardOutputEncoding = Encoding.UTF8,
    };

    private static async Task RunAsync(ProcessStartInfo info)
    {
        var (exitCode, output) = await ExecuteAsync(info);
        Assert.True(exitCode == 0, $"{info.FileName} exited with {exitCode}:\n{output}");
    }

    private static async Task<bool> CanRunAsync(string program, params string[] arguments)
    {
        try
        {
            return (await ExecuteAsync(Info(program, arguments))).ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static async Task<(int ExitCode, string Output)> ExecuteAsync(ProcessStartInfo info)
    {
        using var process = Process.Start(info)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(s_limit);
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

    private static string Clients(string language)
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Relay.sln"))) folder = Path.GetDirectoryName(folder);
        return Path.Combine(folder ?? throw new InvalidOperationException("The tests do not run inside the repository."), "tests", "Interop.Tests", "Gateway", "clients", language);
    }
}

/// <summary>A file in the system's folder for them, removed with its owner.</summary>
internal sealed class TemporaryFile : IDisposable
{
    public TemporaryFile(byte[] content) => File.WriteAllBytes(Path, content);

    public string Path { get; } = System.IO.Path.GetTempFileName();

    public void Dispose() => File.Delete(Path);
}
