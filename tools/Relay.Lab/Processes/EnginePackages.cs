using System.Diagnostics;
using Relay.Cli;

namespace Relay.Lab.Processes;

/// <summary>The system's packages that a cluster on this machine needs.</summary>
internal static class EnginePackages
{
    private const string AptGet = "/usr/bin/apt-get";

    /// <summary>Returns if they are there, or could be installed.</summary>
    /// <param name="install">Install what is missing; only root can.</param>
    /// <exception cref="CommandFailure">Something is missing; the hint says how to get it.</exception>
    public static async Task EnsureAsync(bool install, CancellationToken cancellation)
    {
        if (ClusterProcesses.Missing is not { } missing) return;
        bool can = Environment.IsPrivilegedProcess && File.Exists(AptGet);
        if (!install || !can)
        {
            throw new CommandFailure(ExitCode.Failed, $"A cluster needs what is not installed here: {missing.Replace(" ", " and ", StringComparison.Ordinal)}.",
                can ? $"'relay cluster-demo --install' installs it, or by hand: apt-get install {missing}" : $"On Debian, as root: apt-get install {missing}");
        }
        Console.Error.WriteLine($"Installing {missing} …");
        // The lists of a fresh machine may be missing or stale: then they are refreshed first.
        if (await RunAsync(["install", "-y", "--no-install-recommends", .. missing.Split(' ')], cancellation) is not null)
        {
            await RunAsync(["update"], cancellation);
            if (await RunAsync(["install", "-y", "--no-install-recommends", .. missing.Split(' ')], cancellation) is { } problem)
                throw new CommandFailure(ExitCode.Failed, $"apt-get could not install {missing}.", problem);
        }
    }

    /// <returns>What it complained of; null if it succeeded.</returns>
    private static async Task<string?> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(AptGet, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["DEBIAN_FRONTEND"] = "noninteractive";
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(cancellation);
        var complaints = await process.StandardError.ReadToEndAsync(cancellation);
        await output;
        await process.WaitForExitAsync(cancellation);
        return process.ExitCode == 0 ? null : complaints.Trim();
    }
}
