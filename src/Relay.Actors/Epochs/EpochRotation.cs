using Microsoft.Extensions.Logging;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Epochs;

/// <summary>
/// Begins sealing epochs, and ends those before: everything stored is sealed again under the new epoch's key, and then the earlier keys are
/// destroyed. Each step can be repeated, by this process or another one, and nothing is destroyed before its rows were sealed again.
/// </summary>
internal sealed class EpochRotation(
    EpochKeyFile file, IEpochRegister register, IResealStore store, Sealer sealer, EpochGauges gauges, EpochTimes times, TimeProvider time,
    ILogger log)
{
    private readonly Resealer _resealer = new(store, sealer, time);

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Does what is due.</summary>
    /// <exception cref="StoreException">It is due again.</exception>
    /// <exception cref="IOException">The file of the epoch key cannot be written: it is due again.</exception>
    public async Task LookAsync(CancellationToken cancellation)
    {
        var now = await register.ReadAsync(cancellation).ConfigureAwait(false);
        gauges.Current = now;
        // A clock that was set back must not prolong an epoch by years.
        if (Math.Abs(NowMs - now.BegunMs) >= times.Length.TotalMilliseconds)
        {
            var next = now with { Current = now.Current + 1, BegunMs = NowMs };
            if (!await register.WriteAsync(now, next, cancellation).ConfigureAwait(false)) return;
            gauges.Current = now = next;
        }
        file.Advance(now.Current, now.BegunMs);
        if (now.Floor == now.Current || NowMs - now.BegunMs < times.Settle.TotalMilliseconds) return;
        await EndAsync(now, cancellation).ConfigureAwait(false);
    }

    /// <summary>Another process does it from here on.</summary>
    public void Leave() => gauges.Current = null;

    /// <summary>Ends all epochs before the current one.</summary>
    private async Task EndAsync(EpochKeyFile.Position now, CancellationToken cancellation)
    {
        long start = time.GetTimestamp();
        // First no value of theirs is stored any more; then one pass finds them all.
        await store.RaiseEpochFloorAsync(now.Current, cancellation).ConfigureAwait(false);
        var count = await _resealer.PassAsync(cancellation).ConfigureAwait(false);
        gauges.Unreadable = count.Unreadable;
        var taken = time.GetElapsedTime(start);
        await Sleep.ForAsync(times.Grace, time, cancellation).ConfigureAwait(false);
        var next = now with { Floor = now.Current };
        if (!await register.WriteAsync(now, next, cancellation).ConfigureAwait(false)) return;
        file.Destroy(next.Floor);
        gauges.Current = next;
        EpochLog.Ended(log, count.Replaced, taken.TotalSeconds);
        if (count.Unreadable > 0) EpochLog.Unreadable(log, count.Unreadable);
    }
}
