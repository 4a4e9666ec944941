using Akka.Actor;
using Microsoft.Extensions.Logging;
using Relay.Actors.Conversations;
using Relay.Actors.Telemetry;
using Relay.Storage;

namespace Relay.Actors.Deadlines;

/// <summary>A deadline was stored, in Unix ms.</summary>
internal sealed record DeadlineStored(long DueMs);

/// <summary>
/// Wakes conversations whose stored deadline is due, in memory or not. It sleeps until the earliest deadline it knows of, from
/// the store or from a commit since; a commit with an earlier one only shortens the sleep, so that load causes no sweeps.
/// </summary>
internal sealed class DeadlineKeeper : UntypedActor
{
    private readonly IConversationStore _store;
    private readonly TimeProvider _time;
    private readonly Func<ConversationKey, Task<TimeSpan?>> _wake;
    private readonly TimeSpan _longestSleep;
    private readonly Func<bool> _isOurs;
    private readonly ILogger _log;
    private readonly Props? _census, _epochs;
    private readonly CancellationTokenSource _stopping = new();
    // The earliest deadline known; long.MaxValue if none.
    private long _nextMs = long.MaxValue;
    private ITimer? _timer;
    private bool _isSweeping;

    /// <param name="wake">Wakes one conversation; if that could not be done now, the time by which its deadline is postponed.</param>
    /// <param name="longestSleep">Upper bound for a sleep: another process may have stored a deadline.</param>
    /// <param name="isOurs">Whether this process wakes conversations now.</param>
    /// <param name="census">A <see cref="StoreCensus"/>, which is to be one in the cluster as this actor is; null: none.</param>
    /// <param name="epochs">An <see cref="Epochs.EpochKeeper"/>, as well.</param>
    public DeadlineKeeper(
        IConversationStore store, TimeProvider time, Func<ConversationKey, Task<TimeSpan?>> wake, TimeSpan longestSleep, Func<bool> isOurs,
        ILogger log, Props? census, Props? epochs)
    {
        (_store, _time, _wake, _longestSleep, _isOurs, _log) = (store, time, wake, longestSleep, isOurs, log);
        (_census, _epochs) = (census, epochs);
    }

    public static Props Props(
        IConversationStore store, TimeProvider time, Func<ConversationKey, Task<TimeSpan?>> wake, TimeSpan longestSleep, Func<bool> isOurs,
        ILogger log, Props? census = null, Props? epochs = null)
        => Akka.Actor.Props.Create(() => new DeadlineKeeper(store, time, wake, longestSleep, isOurs, log, census, epochs));

    private sealed record Look : INoSerializationVerificationNeeded
    {
        public static Look Instance { get; } = new();
    }

    /// <param name="NextMs">The earliest deadline that is left; null if none.</param>
    private sealed record Swept(long? NextMs) : INoSerializationVerificationNeeded;

    private sealed record SweepFailed(Exception Cause) : INoSerializationVerificationNeeded;

    private long NowMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    protected override void PreStart()
    {
        if (_census is not null) Context.ActorOf(_census, "census");
        if (_epochs is not null) Context.ActorOf(_epochs, "epochs");
        Sweep();
    }

    protected override void PostStop()
    {
        _stopping.Cancel();
        _timer?.Dispose();
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case DeadlineStored stored:
                if (stored.DueMs >= _nextMs) return;
                _nextMs = stored.DueMs;
                if (!_isSweeping) SleepUntilNext();
                break;
            case Look when !_isSweeping:
                Sweep();
                break;
            case Swept swept:
                _isSweeping = false;
                if (swept.NextMs is { } next) _nextMs = Math.Min(_nextMs, next);
                if (_stopping.IsCancellationRequested) Context.Stop(Self);
                else SleepUntilNext();
                break;
            case SweepFailed failed:
                _isSweeping = false;
                if (_stopping.IsCancellationRequested)
                {
                    Context.Stop(Self);
                    return;
                }
                // Deadlines must be kept whatever the fault.
                RelayLog.SweepFailed(_log, failed.Cause.GetType().Name);
                SleepFor(RelayLimits.SweepRetry);
                break;
            case Stop:
                _stopping.Cancel();
                // A sweep is waited for: the store is closed next.
                if (!_isSweeping) Context.Stop(Self);
                break;
        }
    }

    private void Sweep()
    {
        // Reset before the store is read: a deadline stored from here on counts even if the read does not see it.
        _nextMs = long.MaxValue;
        if (!_isOurs())
        {
            SleepFor(_longestSleep);
            return;
        }
        _isSweeping = true;
        SweepAsync(_stopping.Token).PipeTo(Self, success: static next => new Swept(next), failure: static e => new SweepFailed(e));
    }

    private async Task<long?> SweepAsync(CancellationToken stopping)
    {
        long now = NowMs;
        var due = await _store.ReadDueAsync(now, RelayLimits.MaxDuePerSweep, stopping).ConfigureAwait(false);
        var keys = due.Due.Select(d => new ConversationKey(d.EndpointId, d.ConversationId)).ToArray();
        var woken = await Task.WhenAll(keys.Select(_wake)).ConfigureAwait(false);
        // Conversations that could not be woken (whose stream is full, for example) would otherwise be read first every time, and
        // enough of them would hide every other deadline.
        var asleep = keys.Zip(woken).Where(w => w.Second is not null)
            .Select(w => (Key: w.First, LaterMs: now + (long)w.Second!.Value.TotalMilliseconds)).ToList();
        await Task.WhenAll(asleep.Select(a =>
            _store.PostponeAsync(a.Key.EndpointId, a.Key.ConversationId, now, a.LaterMs, stopping).AsTask()))
            .ConfigureAwait(false);
        if (due.Due.Count == RelayLimits.MaxDuePerSweep) return now;
        return asleep.Count > 0 ? Math.Min(asleep.Min(a => a.LaterMs), due.NextMs ?? long.MaxValue) : due.NextMs;
    }

    private void SleepUntilNext()
    {
        double leftMs = _nextMs == long.MaxValue ? double.PositiveInfinity : _nextMs - NowMs;
        SleepFor(TimeSpan.FromMilliseconds(Math.Clamp(leftMs, 0, _longestSleep.TotalMilliseconds)));
    }

    private void SleepFor(TimeSpan duration)
    {
        _timer?.Dispose();
        _timer = _time.CreateTimer(static self => ((IActorRef)self!).Tell(Look.Instance), Self, duration, Timeout.InfiniteTimeSpan);
    }
}
