using Akka.Actor;

namespace Relay.Actors.Conversations;

/// <summary>
/// The commands of this process that wait for their answers. Each is the reference that its answer is sent to; one timer looks after all of
/// them: it sends a command again that has not been answered for <see cref="RelayLimits.AskAgainAfter"/>, and gives up in the end.
/// </summary>
internal sealed class PendingCommands(ActorSystem system, IActorRef region, Admission admission, TimeProvider time)
{
    private readonly IActorRefProvider _provider = ((ExtendedActorSystem)system).Provider;
    // Only an answer from another node is delivered by path; it needs a name of its own.
    private readonly bool _isLocal = ((ExtendedActorSystem)system).Provider is LocalActorRefProvider;
    private readonly ActorPath _parent = ((ExtendedActorSystem)system).Provider.TempPath().Parent;
    private readonly long _interval = (long)(RelayLimits.AskAgainAfter.TotalSeconds * time.TimestampFrequency);
    private readonly Lock _lock = new();
    // In the order of their times, because all wait for as long. What was answered meanwhile is passed over.
    private readonly Queue<(PendingCommand Command, long Due)> _looks = [];
    private ITimer? _timer;
    private bool _isTimerSet;
    private long _last;

    public long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Sends a command that was admitted. It leaves the admission when it is answered, or given up.</summary>
    /// <param name="bytes">What it was admitted with.</param>
    public PendingCommand Send(IConversationMessage message, long expiresAtMs, int bytes)
    {
        var path = _isLocal ? new ChildActorPath(_parent, "command", Interlocked.Increment(ref _last)) : _provider.TempPath();
        var command = new PendingCommand(this, path, message, expiresAtMs, bytes);
        if (!_isLocal) _provider.RegisterTempActor(command, path);
        LookLater(command);
        region.Tell(message, command);
        return command;
    }

    internal void Resend(PendingCommand command, IConversationMessage message)
    {
        LookLater(command);
        region.Tell(message, command);
    }

    internal void LookLater(PendingCommand command)
    {
        lock (_lock)
        {
            long due = time.GetTimestamp() + _interval;
            command.Due = due;
            _looks.Enqueue((command, due));
            if (!_isTimerSet) SetTimer(due);
        }
    }

    internal void Leave(PendingCommand command, string endpointId, int bytes)
    {
        if (!_isLocal) _provider.UnregisterTempActor(command.Path);
        admission.Leave(endpointId, bytes);
    }

    internal IActorRefProvider Provider => _provider;

    private void SetTimer(long due)
    {
        _isTimerSet = true;
        var wait = TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(time.GetElapsedTime(time.GetTimestamp(), due).TotalMilliseconds)));
        if (_timer is null) _timer = time.CreateTimer(static self => ((PendingCommands)self!).Look(), this, wait, Timeout.InfiniteTimeSpan);
        else _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    private void Look()
    {
        var due = new List<PendingCommand>();
        lock (_lock)
        {
            _isTimerSet = false;
            while (_looks.TryPeek(out var next))
            {
                if (next.Due > time.GetTimestamp())
                {
                    SetTimer(next.Due);
                    break;
                }
                _looks.Dequeue();
                // It may have been put back since.
                if (next.Command.Due == next.Due) due.Add(next.Command);
            }
        }
        foreach (var command in due) command.Look();
    }
}
