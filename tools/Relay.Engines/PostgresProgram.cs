using System.Diagnostics;
using System.Globalization;

namespace Relay.Engines;

/// <summary>Runs PostgreSQL's programs as Debian installs them, as a user other than root.</summary>
internal sealed class PostgresProgram
{
    /// <summary>Debian's user for PostgreSQL, which refuses to run as root.</summary>
    private const string User = "postgres";
    private const int TailLines = 40;

    private readonly PostgresOptions _options;
    private readonly string _binaries;

    private PostgresProgram(PostgresOptions options, string binaries) => (_options, _binaries) = (options, binaries);

    /// <exception cref="EngineException">PostgreSQL is not installed.</exception>
    public static PostgresProgram Find(PostgresOptions options) => new(options, TryFindBinaries()
        ?? throw new EngineException("PostgreSQL is not installed: there is no /usr/lib/postgresql/VERSION/bin/initdb. "
            + "Install it with: apt-get install postgresql"));

    /// <summary>The directory of the newest installed version's programs; null if PostgreSQL is not installed.</summary>
    public static string? TryFindBinaries()
    {
        const string root = "/usr/lib/postgresql";
        if (!Directory.Exists(root)) return null;
        return (from folder in Directory.GetDirectories(root)
                where int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out _)
                let binaries = Path.Combine(folder, "bin")
                where File.Exists(Path.Combine(binaries, "initdb")) && File.Exists(Path.Combine(binaries, "postgres"))
                orderby int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture) descending
                select binaries).FirstOrDefault();
    }

    /// <summary>Changes the owner of a directory and everything in it to the user that the programs run as.</summary>
    public Task GiveAsync(string folder, CancellationToken cancellation)
        => Environment.IsPrivilegedProcess ? RunAsync(["chown", "-R", $"{User}:", folder], [], cancellation) : Task.CompletedTask;

    /// <summary>Runs one of the programs and waits for its end.</summary>
    /// <exception cref="EngineException">The program failed; the message contains the end of its output.</exception>
    public Task RunAsync(
        string program, IEnumerable<string> arguments, IEnumerable<(string Name, string Value)> environment,
        CancellationToken cancellation)
        => RunAsync([.. Command(program), .. arguments], environment, cancellation);

    /// <summary>Starts one of the programs without waiting for its end.</summary>
    /// <param name="output">Called for each line of output, on any thread.</param>
    /// <exception cref="EngineException">The program cannot be started.</exception>
    public Process Start(string program, IEnumerable<string> arguments, Action<string> output)
        => Start([.. Command(program), .. arguments], [], output);

    private IEnumerable<string> Command(string program)
    {
        var path = Path.Combine(_binaries, program);
        // setpriv replaces itself by the program (exec), so its process id becomes the program's.
        return Environment.IsPrivilegedProcess
            ? [.. _options.CommandPrefix, "setpriv", $"--reuid={User}", $"--regid={User}", "--init-groups", "--", path]
            : [.. _options.CommandPrefix, path];
    }

    private async Task RunAsync(IReadOnlyList<string> command, IEnumerable<(string, string)> environment, CancellationToken cancellation)
    {
        var tail = new PostgresOutput(TailLines);
        using var process = Start(command, environment, tail.Add);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(_options.Patience);
        try
        {
            await process.WaitForExitAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancellation.ThrowIfCancellationRequested();
            throw new EngineException($"{Path.GetFileName(command[0])} did not end within {_options.Patience}.{tail}");
        }
        if (process.ExitCode != 0)
        {
            throw new EngineException(
                string.Create(CultureInfo.InvariantCulture, $"`{string.Join(' ', command)}` ended with {process.ExitCode}.{tail}"));
        }
    }

    private static Process Start(IReadOnlyList<string> command, IEnumerable<(string Name, string Value)> environment, Action<string> output)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = "/",
        };
        // The caller's own PostgreSQL settings must have no effect, and messages must be English, because they are compared.
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("PG", StringComparison.Ordinal)).ToArray())
            start.Environment.Remove(name);
        start.Environment["LC_ALL"] = "C";
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Receive(line.Data);
        process.ErrorDataReceived += (_, line) => Receive(line.Data);
        try
        {
            process.Start();
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            process.Dispose();
            throw new EngineException($"{command[0]} cannot be started: {e.Message}", e);
        }
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;

        void Receive(string? line)
        {
            if (line is not null) output(line);
        }
    }
}
