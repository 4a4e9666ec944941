using System.Diagnostics;
using System.Text;
using Relay.Gateway.Tests.Harness;

namespace Relay.Sdk.Tests;

/// <summary>A bot of one of the languages as a process: started, killed without warning, or asked to stop.</summary>
internal sealed class BotProcess : IDisposable
{
    /// <summary>The secret of the bots that verify.</summary>
    public const string CustomerNumber = "4711";
    private readonly Process _process;
    private readonly StringBuilder _output = new();

    private BotProcess(ProcessStartInfo info, string servers, string keyFile, IReadOnlyDictionary<string, string>? environment)
    {
        foreach (var name in new[] { "RELAY_KEY", "RELAY_CA" }) info.Environment.Remove(name);
        info.Environment["RELAY_SERVER"] = servers;
        info.Environment["RELAY_KEY_FILE"] = keyFile;
        info.Environment["CUSTOMER_NUMBER"] = CustomerNumber;
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) info.Environment[name] = value;
        info.RedirectStandardOutput = info.RedirectStandardError = true;
        _process = Process.Start(info)!;
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public bool HasExited => _process.HasExited;

    public string Output
    {
        get
        {
            lock (_output) return _output.ToString();
        }
    }

    /// <summary>
    /// Starts an example: <c>echo</c> or <c>verify</c>, in <c>csharp</c>, <c>python</c> or <c>node</c>, with the package installed from its
    /// packed file; only the verifying bot in C# is the one of the checkout.
    /// </summary>
    public static async Task<BotProcess> StartAsync(
        string language, string kind, string servers, string keyFile, IReadOnlyDictionary<string, string>? environment = null,
        string endpoint = "e")
    {
        var folder = $"{kind}-bot-{language}";
        if (language != "csharp")
        {
            var program = language == "python" ? $"{kind}_bot.py" : $"{kind}-bot.mjs";
            return await StartProgramAsync(language, Repository.File("examples", folder, program), servers, keyFile, environment, endpoint);
        }
        var library = kind == "echo"
            ? Path.Combine((await Packages.CSharpAsync()).Directory, "bin", "echo-bot.dll")
            : Repository.File("examples", folder, "bin", Repository.Configuration, "net10.0", $"{kind}-bot.dll");
        return new(new ProcessStartInfo("dotnet", [library, endpoint]), servers, keyFile, environment);
    }

    /// <summary>Starts a program in Python or for Node.js, with the installed package.</summary>
    public static async Task<BotProcess> StartProgramAsync(
        string language, string file, string servers, string keyFile, IReadOnlyDictionary<string, string>? environment = null,
        params string[] arguments)
    {
        if (language == "python")
        {
            var info = new ProcessStartInfo(Packages.PythonProgram, ["-W", "error::RuntimeWarning", file, .. arguments]);
            info.Environment["PYTHONPATH"] = (await Packages.PythonAsync()).Directory;
            info.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
            return new(info, servers, keyFile, environment);
        }
        // Node.js looks for a package beside the program, not where it was started.
        var installed = await Packages.NodeAsync();
        var copy = Path.Combine(installed.Directory, Path.GetFileName(file));
        File.Copy(file, copy, overwrite: true);
        return new(new ProcessStartInfo("node", ["--unhandled-rejections=strict", copy, .. arguments]), servers, keyFile, environment);
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(Patience.Token);
    }

    /// <summary>SIGTERM. Returns the exit code.</summary>
    public async Task<int> StopAsync()
    {
        using (var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"])) await kill.WaitForExitAsync(Patience.Token);
        await _process.WaitForExitAsync(Patience.Token);
        return _process.ExitCode;
    }

    public Task WaitForExitAsync() => _process.WaitForExitAsync(Patience.Token);

    public int ExitCode => _process.ExitCode;

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    private void Keep(object _, DataReceivedEventArgs line)
    {
        lock (_output) _output.AppendLine(line.Data);
    }
}
