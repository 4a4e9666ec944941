using System.Diagnostics;

namespace Otr.Core.Tests.Keys;

/// <summary>The real libotr, reading and writing its three files: <c>libotr-files.c</c>, compiled once for the test run.</summary>
internal static class LibotrFiles
{
    private static readonly Lazy<(string? Program, string? Missing)> Compiled = new(Compile);

    /// <summary>Why libotr cannot be used here, or null.</summary>
    public static string? Missing => Compiled.Value.Missing;

    /// <summary>Runs the program and returns the columns of each line that it prints.</summary>
    public static string[][] Run(string command, string directory)
    {
        var (exit, output, error) = Execute(Compiled.Value.Program!, command, directory);
        Assert.True(exit == 0, error);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t'))];
    }

    private static (string?, string?) Compile()
    {
        if (!OperatingSystem.IsLinux()) return (null, "libotr is compiled against on Linux only");
        if (!File.Exists("/usr/include/libotr/privkey.h")) return (null, "libotr5-dev is missing (tests/setup/libotr.sh installs it)");
        if (!File.Exists("/usr/bin/cc")) return (null, "a C compiler is missing (tests/setup/libotr.sh installs it)");
        var program = Path.Combine(AppContext.BaseDirectory, "Keys", "libotr-files");
        var (exit, output, error) = Execute("/usr/bin/cc", "-Wall", "-Wextra", "-o", program,
            Path.Combine(AppContext.BaseDirectory, "Keys", "libotr-files.c"), "-lotr", "-lgcrypt");
        return exit == 0 ? (program, null) : throw new InvalidOperationException(output + error);
    }

    private static (int Exit, string Output, string Error) Execute(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.GetAwaiter().GetResult());
    }
}
