namespace GrpcTests;

/// <summary>A clock that only a test moves.</summary>
internal sealed class ManualClock : TimeProvider, IServiceProvider
{
    private readonly Lock _gate = new();
    private readonly List<ManualTimer> _timers = [];
    private DateTimeOffset _now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public DateTime UtcNow => GetUtcNow().UtcDateTime;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
            return _now;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        lock (_gate)
        {
            var timer = new ManualTimer(this, () => callback(state), _now + dueTime);
            _timers.Add(timer);
            return timer;
        }
    }

    /// <summary>Moves on, and runs what is due.</summary>
    public void Advance(TimeSpan time)
    {
        ManualTimer[] due;
        lock (_gate)
        {
            _now += time;
            due = [.. _timers.Where(timer => timer.Due <= _now)];
            _timers.RemoveAll(due.Contains);
        }
        foreach (ManualTimer timer in due)
            timer.Run();
    }

    public object? GetService(Type serviceType) => serviceType == typeof(TimeProvider) ? this : null;

    private sealed class ManualTimer(ManualClock clock, Action run, DateTimeOffset due) : ITimer
    {
        public DateTimeOffset Due => due;

        public void Run() => run();

        public bool Change(TimeSpan dueTime, TimeSpan period) => throw new NotSupportedException();

        public void Dispose()
        {
            lock (clock._gate)
                clock._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
