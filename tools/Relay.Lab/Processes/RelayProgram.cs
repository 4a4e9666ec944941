using System.Diagnostics;
using Relay.Cli;

namespace Relay.Lab.Processes;

/// <summary>The programs that lie beside this one, to be started as further processes.</summary>
public static class RelayProgram
{
    /// <summary>How to start <c>relay</c> with these arguments: the product's program, without the lab's commands.</summary>
    public static ProcessStartInfo StartInfo(params IEnumerable<string> arguments) => StartInfo(typeof(RelayCommand), arguments);

    /// <summary>How to start the lab's program with these arguments: it has all commands.</summary>
    public static ProcessStartInfo LabStartInfo(params IEnumerable<string> arguments) => StartInfo(typeof(LabCommands), arguments);

    private static ProcessStartInfo StartInfo(Type ofProgram, IEnumerable<string> arguments)
    {
        // Run by the runtime's own program, or else from the PATH: hosted by a test, say.
        var current = Environment.ProcessPath ?? "";
        var runtime = Path.GetFileNameWithoutExtension(current) == "dotnet" ? current : "dotnet";
        var info = new ProcessStartInfo(runtime) { ArgumentList = { ofProgram.Assembly.Location } };
        foreach (var argument in arguments) info.ArgumentList.Add(argument);
        info.RedirectStandardInput = info.RedirectStandardOutput = info.RedirectStandardError = true;
        info.UseShellExecute = false;
        return info;
    }
}
