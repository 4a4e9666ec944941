using System.Runtime.InteropServices;

namespace Relay.Lab.Load;

/// <summary>
/// Counts SIGINT and SIGTERM during a load, and keeps the first two from ending the process, so that it can revoke its keys. The command
/// ends gracefully at the first; a third one has its default effect.
/// </summary>
internal sealed class LoadSignals : IDisposable
{
    private const int Held = 2;
    private readonly CancellationTokenSource _second = new();
    private readonly PosixSignalRegistration _interrupt, _terminate;
    private int _count;

    public LoadSignals()
    {
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
    }

    /// <summary>Cancelled by the second signal: nothing is waited for any more.</summary>
    public CancellationToken Second => _second.Token;

    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
        _second.Dispose();
    }

    private void OnSignal(PosixSignalContext signal)
    {
        int count = Interlocked.Increment(ref _count);
        if (count > Held) return;
        signal.Cancel = true;
        if (count == Held) _second.Cancel();
    }
}
