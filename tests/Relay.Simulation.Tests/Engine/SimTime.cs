namespace Relay.Simulation.Tests.Engine;

/// <summary>A process's clock: the schedule's, set wrong by a constant; its timers are events of that process.</summary>
internal sealed class SimTime(Schedule schedule, SimProcess process, long skewMs) : TimeProvider
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => Start.AddMilliseconds(schedule.NowMs + skewMs);

    public override long TimestampFrequency => 1000;

    public override long GetTimestamp() => schedule.NowMs;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class SimTimer(SimTime time, Action fire) : ITimer
    {
        private SimEvent? _set;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (period != Timeout.InfiniteTimeSpan && period != TimeSpan.Zero) throw new NotSupportedException("A timer that repeats.");
            Dispose();
            if (dueTime != Timeout.InfiniteTimeSpan) _set = time.Set(fire, (long)Math.Ceiling(dueTime.TotalMilliseconds));
            return true;
        }

        public void Dispose()
        {
            if (_set is not null) _set.IsCancelled = true;
            _set = null;
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }

    private SimEvent Set(Action fire, long delayMs) => schedule.Post(process, "timer", 0, fire, delayMs);
}
