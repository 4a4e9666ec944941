using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;

namespace Relay.Lab.OtrPeer;

/// <summary>Compiles C programs that use libotr from sources embedded in this assembly.</summary>
internal static class NativeProgram
{
    private const string WhatToInstall =
        "install libotr5-dev, libgcrypt20-dev and gcc (Debian: apt-get install libotr5-dev libgcrypt20-dev gcc)";

    /// <summary>
    /// Writes the sources to <paramref name="directory"/> and compiles the first of them. A program newer than this assembly is reused.
    /// </summary>
    /// <param name="sources">Resource names, which are file names; the first determines the program's name.</param>
    /// <param name="reason">Why the program cannot be built and what to do about it; empty on success.</param>
    public static bool TryBuild(string directory, IReadOnlyList<string> sources, out string executable, out string reason)
    {
        executable = Path.Combine(Path.GetFullPath(directory), Path.GetFileNameWithoutExtension(sources[0]));
        reason = "";
        if (!OperatingSystem.IsLinux())
        {
            reason = "libotr is supported on Linux only.";
            return false;
        }
        var assembly = Assembly.GetExecutingAssembly();
        if (File.Exists(executable) && File.GetLastWriteTimeUtc(executable) > File.GetLastWriteTimeUtc(assembly.Location)) return true;

        // Compiled in a separate directory and then renamed, so that concurrent builds do not interfere.
        var work = Directory.CreateDirectory(Path.Combine(directory, Path.GetRandomFileName()));
        try
        {
            foreach (var name in sources)
            {
                using var source = assembly.GetManifestResourceStream(name)
                    ?? throw new InvalidOperationException($"The resource {name} is missing.");
                using var file = File.Create(Path.Combine(work.FullName, name));
                source.CopyTo(file);
            }
            var flags = TryRun("pkg-config", ["--cflags", "--libs", "libotr"], work.FullName, out var found) ? found : "-lotr";
            string[] arguments = ["-O2", "-Wall", "-Wextra", sources[0], "-o", "program",
                .. flags.Split(default(char[]), StringSplitOptions.RemoveEmptyEntries), "-lgcrypt"];
            if (!TryRun("cc", arguments, work.FullName, out var output))
            {
                reason = output.Length == 0
                    ? $"There is no C compiler: {WhatToInstall}."
                    : $"libotr's test program does not compile: {WhatToInstall}.\n{output}";
                return false;
            }
            File.Move(Path.Combine(work.FullName, "program"), executable, overwrite: true);
            return true;
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }

    /// <summary>
    /// Runs a tool and waits for its end. Returns false if it is not installed (the output is empty) or fails (the output is its stderr).
    /// </summary>
    private static bool TryRun(string tool, IReadOnlyList<string> arguments, string directory, out string output)
    {
        output = "";
        var start = new ProcessStartInfo(tool, arguments)
        {
            WorkingDirectory = directory, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        try
        {
            using var process = new Process { StartInfo = start };
            var errors = new System.Text.StringBuilder();
            process.ErrorDataReceived += (_, line) => errors.AppendLine(line.Data);
            process.Start();
            process.BeginErrorReadLine();
            var text = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            output = process.ExitCode == 0 ? text : errors.ToString().Trim();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false; // the tool is not installed
        }
    }
}
