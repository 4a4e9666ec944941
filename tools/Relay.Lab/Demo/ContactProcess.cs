using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Relay.Cli;

namespace Relay.Lab.Demo;

/// <summary>
/// An external contact: an OTR implementation in a separate process, controlled by the line protocol of OTR test peers.
/// Commands run one at a time; the events of a command are delivered in order before the next command starts.
/// </summary>
internal sealed class ContactProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Func<JsonElement, ValueTask> _onEvent;

    private ContactProcess(Process process, Func<JsonElement, ValueTask> onEvent)
    {
        _process = process;
        _onEvent = onEvent;
    }

    /// <summary>Name and version, such as "relay 0.1.0" or "libotr 4.1.1".</summary>
    public string Implementation { get; private set; } = "";

    public static async Task<ContactProcess> StartAsync(
        ProcessStartInfo info, Func<JsonElement, ValueTask> onEvent, CancellationToken cancellation)
    {
        info.RedirectStandardInput = info.RedirectStandardOutput = true;
        info.RedirectStandardError = false;
        info.StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        var process = Process.Start(info) ?? throw new CommandFailure(ExitCode.Failed, "The contact's process did not start.");
        var contact = new ContactProcess(process, onEvent);
        var ready = await contact.ReadAsync(cancellation);
        contact.Implementation = $"{ready.GetProperty("peer").GetString()} {ready.GetProperty("version").GetString()}";
        return contact;
    }

    public Task SendAsync(string text, CancellationToken cancellation) =>
        RunAsync("send " + Convert.ToBase64String(Encoding.UTF8.GetBytes(text)), cancellation);

    public Task ReceiveAsync(ReadOnlyMemory<byte> wire, CancellationToken cancellation) =>
        RunAsync("recv " + Convert.ToBase64String(wire.Span), cancellation, mayFail: true);

    /// <summary>Runs one command, and delivers the events that it causes.</summary>
    public async Task RunAsync(string command, CancellationToken cancellation, bool mayFail = false)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            await _process.StandardInput.WriteLineAsync(command.AsMemory(), cancellation);
            await _process.StandardInput.FlushAsync(cancellation);
            while (true)
            {
                var e = await ReadAsync(cancellation);
                if (e.GetProperty("event").GetString() != "done")
                {
                    await _onEvent(e);
                    continue;
                }
                if (!mayFail && !e.GetProperty("ok").GetBoolean())
                    throw new CommandFailure(ExitCode.Failed, $"The contact's command '{command.Split(' ')[0]}' failed.");
                return;
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _turn.Dispose();
    }

    private async Task<JsonElement> ReadAsync(CancellationToken cancellation)
    {
        var line = await _process.StandardOutput.ReadLineAsync(cancellation)
            ?? throw new CommandFailure(ExitCode.Failed, "The contact's process ended.");
        using var document = JsonDocument.Parse(line);
        return document.RootElement.Clone();
    }
}
