using System.ComponentModel;
using System.Diagnostics;

namespace Relay.Chaos.Tests.Partition;

/// <summary>Runs a program of the system to its end.</summary>
internal static class Command
{
    /// <returns>What it complained of; null if it succeeded.</returns>
    public static async Task<string?> TryAsync(params string[] command)
    {
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync();
            var complaints = await process.StandardError.ReadToEndAsync();
            await output;
            await process.WaitForExitAsync();
            return process.ExitCode == 0 ? null : $"'{string.Join(' ', command)}' failed with {process.ExitCode}: {complaints.Trim()}";
        }
        catch (Win32Exception e)
        {
            return $"{command[0]} cannot be run: {e.Message}";
        }
    }

    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static async Task RunAsync(params string[] command)
    {
        if (await TryAsync(command) is { } problem) throw new InvalidOperationException(problem);
    }
}
