using System.Diagnostics;
using System.Text.Json;
using Relay.Lab.Processes;

namespace Relay.Gateway.Tests.Harness;

/// <summary>What a run of the command line printed.</summary>
public sealed record TerminalResult(int Code, string Out, string Error)
{
    public JsonElement Json => JsonDocument.Parse(Out).RootElement;
    public JsonElement JsonError => JsonDocument.Parse(Error).RootElement.GetProperty("error");
}

/// <summary>Runs <c>relay</c> as a process of its own: the product's, or the one of a checkout, which has the lab's commands too.</summary>
public static class Terminal
{
    public static Task<TerminalResult> RunAsync(params string[] arguments) => RunAsync([], null, arguments);

    public static Task<TerminalResult> RunLabAsync(params string[] arguments) => RunAsync(RelayProgram.LabStartInfo(arguments), [], null);

    public static Task<TerminalResult> RunAsync(Dictionary<string, string> environment, string? input, params string[] arguments) =>
        RunAsync(RelayProgram.StartInfo(arguments), environment, input);

    /// <summary>Starts a command that runs until it is stopped; its output is read by the caller.</summary>
    public static Process Start(Dictionary<string, string> environment, params string[] arguments)
    {
        var info = RelayProgram.StartInfo(arguments);
        // A shell without job control starts its background processes, the tests' among them, with Ctrl-C ignored, and so would this one be.
        info.ArgumentList.Insert(0, info.FileName);
        info.ArgumentList.Insert(0, "--default-signal=INT");
        info.FileName = "env";
        foreach (var name in new[] { "RELAY_KEY", "RELAY_KEY_FILE", "RELAY_SERVER", "RELAY_DATA" }) info.Environment.Remove(name);
        foreach (var (name, value) in environment) info.Environment[name] = value;
        info.RedirectStandardOutput = true;
        return Process.Start(info)!;
    }

    private static async Task<TerminalResult> RunAsync(ProcessStartInfo info, Dictionary<string, string> environment, string? input)
    {
        foreach (var name in new[] { "RELAY_KEY", "RELAY_KEY_FILE", "RELAY_SERVER", "RELAY_DATA" }) info.Environment.Remove(name);
        foreach (var (name, value) in environment) info.Environment[name] = value;
        return await RunAsync(info, input);
    }

    public static async Task<TerminalResult> RunAsync(ProcessStartInfo info, string? input)
    {
        info.RedirectStandardInput = info.RedirectStandardOutput = info.RedirectStandardError = true;
        using var process = Process.Start(info)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync();
            var error = process.StandardError.ReadToEndAsync();
            if (input is not null) await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(4));
            return new TerminalResult(process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }
}
