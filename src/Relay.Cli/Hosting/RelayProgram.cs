using System.Diagnostics;

namespace Relay.Cli.Hosting;

/// <summary>This program, to be started once more as another process.</summary>
public static class RelayProgram
{
    /// <summary>How to start <c>relay</c> with these arguments.</summary>
    public static ProcessStartInfo StartInfo(params IEnumerable<string> arguments)
    {
        var library = typeof(RelayProgram).Assembly.Location;
        var current = Environment.ProcessPath ?? "";
        var info = Path.GetFileNameWithoutExtension(current) == "relay"
            ? new ProcessStartInfo(current)
            // Run by the runtime's own program, or hosted by a test.
            : new ProcessStartInfo(Path.GetFileNameWithoutExtension(current) == "dotnet" ? current : "dotnet") { ArgumentList = { library } };
        foreach (var argument in arguments) info.ArgumentList.Add(argument);
        info.RedirectStandardInput = info.RedirectStandardOutput = info.RedirectStandardError = true;
        info.UseShellExecute = false;
        return info;
    }
}
