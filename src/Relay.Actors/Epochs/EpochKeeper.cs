using Akka.Actor;
using Microsoft.Extensions.Logging;
using Relay.Storage;

namespace Relay.Actors.Epochs;

/// <summary>
/// Looks regularly whether a sealing epoch is over. It is a child of the deadline keeper, which is one in the whole cluster; two at a time,
/// for a moment, do no harm.
/// </summary>
internal sealed class EpochKeeper : UntypedActor
{
    private readonly EpochRotation _rotation;
    private readonly TimeSpan _interval;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopping = new();
    private ITimer? _timer;

    public EpochKeeper(EpochRotation rotation, TimeSpan interval, TimeProvider time, ILogger log)
        => (_rotation, _interval, _time, _log) = (rotation, interval, time, log);

    public static Props Props(EpochRotation rotation, TimeSpan interval, TimeProvider time, ILogger log)
        => Akka.Actor.Props.Create(() => new EpochKeeper(rotation, interval, time, log));

    private sealed record Look : INoSerializationVerificationNeeded
    {
        public static Look Instance { get; } = new();
    }

    /// <param name="Error">Null: it was done.</param>
    private sealed record Looked(string? Error) : INoSerializationVerificationNeeded;

    protected override void PreStart() => Begin();

    protected override void PostStop()
    {
        _stopping.Cancel();
        _timer?.Dispose();
        _rotation.Leave();
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Look:
                Begin();
                break;
            case Looked looked:
                if (looked.Error is { } error) EpochLog.Failed(_log, error);
                _timer?.Dispose();
                _timer = _time.CreateTimer(static self => ((IActorRef)self!).Tell(Look.Instance), Self, _interval, Timeout.InfiniteTimeSpan);
                break;
        }
    }

    private void Begin() => LookAsync(_stopping.Token).PipeTo(Self);

    private async Task<Looked> LookAsync(CancellationToken stopping)
    {
        try
        {
            await _rotation.LookAsync(stopping).ConfigureAwait(false);
            return new Looked(null);
        }
        catch (OperationCanceledException)
        {
            return new Looked(null);
        }
        // What is due is due again at the next look. The keeper must not end.
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return new Looked(e is StoreException or IOException ? e.Message : e.GetType().Name);
        }
    }
}
