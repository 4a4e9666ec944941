using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Relay.Lab.OtrPeer;

namespace Relay.Lab.Bench;

/// <summary>Runs libotr's benchmark program: two endpoints in a separate process, which reports its own CPU time.</summary>
internal sealed class LibotrBench : IAsyncDisposable
{
    private readonly Process _process;

    private LibotrBench(Process process) => _process = process;

    /// <summary>Compiles and starts the program. If libotr or the compiler is missing, the result is null and a reason.</summary>
    public static async Task<(LibotrBench? Bench, string Reason)> TryStartAsync(string directory, CancellationToken cancellation)
    {
        if (!NativeProgram.TryBuild(directory, ["libotr-bench.c", "peer-line.h"], out var program, out var reason)) return (null, reason);
        var bench = new LibotrBench(
            Process.Start(new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true })!);
        await bench.ReadAsync(cancellation); // "ready", after the generation of its keys
        return (bench, "");
    }

    /// <summary>Average CPU time of a repetition, in microseconds.</summary>
    public async Task<double> MicrosecondsAsync(string what, int count, int bytes, CancellationToken cancellation)
        => (await AskAsync($"{what} {count} {bytes}", cancellation)).GetProperty("us").GetDouble() / count;

    /// <summary>Bytes of heap per side of a conversation after a key exchange and four messages.</summary>
    public async Task<double> MemoryAsync(int count, CancellationToken cancellation)
        => (await AskAsync(string.Create(CultureInfo.InvariantCulture, $"memory {count}"), cancellation)).GetProperty("bytes").GetDouble();

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task<JsonElement> AskAsync(string command, CancellationToken cancellation)
    {
        await _process.StandardInput.WriteLineAsync(command.AsMemory(), cancellation);
        await _process.StandardInput.FlushAsync(cancellation);
        var result = await ReadAsync(cancellation);
        if (result.GetProperty("event").GetString() != "result")
            throw new InvalidOperationException($"libotr's benchmark does not support: {command}");
        await ReadAsync(cancellation); // "done"
        return result;
    }

    private async Task<JsonElement> ReadAsync(CancellationToken cancellation)
    {
        var line = await _process.StandardOutput.ReadLineAsync(cancellation)
            ?? throw new InvalidOperationException("libotr's benchmark has ended unexpectedly.");
        using var document = JsonDocument.Parse(line);
        return document.RootElement.Clone();
    }
}
