using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Relay.Cli;

namespace Relay.Lab.Bench.Server;

/// <summary>A program that has <c>bench server</c>: this build's, or that of another checkout.</summary>
internal sealed class BenchProgram
{
    // The second is where it was before the lab had a program of its own.
    private static readonly string[] s_places =
        ["tools/Relay.Lab/bin/Release/net10.0/relay-lab.dll", "src/Relay.Cli/bin/Release/net10.0/relay.dll"];
    private const int LastErrorLines = 5;

    private readonly string _program;

    private BenchProgram(string program) => _program = program;

    public static BenchProgram This { get; } = new(typeof(BenchProgram).Assembly.Location);

    /// <param name="place">A checkout that was built, or the directory or file of the program itself.</param>
    /// <exception cref="CommandFailure">There is no program.</exception>
    public static BenchProgram Find(string place)
    {
        var places = s_places.Select(p => Path.Combine(place, p)).Append(Path.Combine(place, "relay-lab.dll")).Prepend(place);
        return places.FirstOrDefault(File.Exists) is { } found
            ? new BenchProgram(Path.GetFullPath(found))
            : throw new CommandFailure(ExitCode.Usage,
                $"'--against {place}' holds no built benchmark: run 'dotnet build -c Release' in that checkout first.");
    }

    /// <summary>Runs one row in a process of its own.</summary>
    /// <exception cref="CommandFailure">It failed; the message has the end of what it said.</exception>
    public async Task<JsonObject> RunAsync(string what, ServerBenchOptions options, CancellationToken cancellation)
    {
        var results = Path.GetTempFileName();
        try
        {
            var info = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
            foreach (var argument in Arguments(what, options, results)) info.ArgumentList.Add(argument);
            using var process = Process.Start(info) ?? throw new CommandFailure(ExitCode.Failed, "dotnet did not start.");
            await using var stop = cancellation.Register(() => process.Kill(entireProcessTree: true));
            var output = process.StandardOutput.ReadToEndAsync(cancellation);
            var errors = process.StandardError.ReadToEndAsync(cancellation);
            await process.WaitForExitAsync(cancellation);
            await output;
            if (process.ExitCode != 0)
            {
                var last = string.Join('\n', (await errors).TrimEnd().Split('\n').TakeLast(LastErrorLines));
                throw new CommandFailure(ExitCode.Failed, $"{_program} ended with {process.ExitCode} in row {what}: {last}");
            }
            var rows = JsonNode.Parse(await File.ReadAllTextAsync(results, cancellation))!.AsArray();
            return rows.Select(r => r!.AsObject()).First(r => r["what"]!.GetValue<string>() == what);
        }
        finally
        {
            File.Delete(results);
        }
    }

    private IEnumerable<string> Arguments(string what, ServerBenchOptions options, string results)
    {
        yield return _program;
        foreach (var word in (string[])["bench", "server", "--only", what, "--json", results]) yield return word;
        yield return "--conversations";
        yield return options.Conversations.ToString(CultureInfo.InvariantCulture);
        yield return "--seconds";
        yield return options.Measured.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        if (options.IsShort) yield return "--short";
    }
}
