using Grpc.Core;
using Grpc.Wire;

namespace Grpc.Net.Client;

/// <summary>
/// How one call ends: exactly once, with the first of the server's status, a failure, the deadline, or a cancellation.
/// Then everything that the call still holds is let go.
/// </summary>
internal sealed class CallEnd(GrpcChannel channel, CallOptions options)
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly TaskCompletionSource _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<IDisposable> _held = [];
    private Status? _status;
    private Metadata _trailers = Metadata.Empty;
    private bool _cancelledByCaller;

    /// <summary>Cancelled once the call has ended.</summary>
    public CancellationToken Token => _ended.Token;

    /// <summary>Completes once the call has ended.</summary>
    public Task Outcome => _outcome.Task;

    public bool IsEnded => _ended.IsCancellationRequested;

    /// <summary>The earlier of the call's own deadline and that of the call it is made for; null for none.</summary>
    public DateTime? Deadline { get; } = Earliest(options.Deadline, (options.PropagationToken as PropagationToken)?.Deadline);

    /// <summary>What is left until the deadline; null for no deadline.</summary>
    public TimeSpan? TimeLeft => Deadline is { } deadline && deadline != DateTime.MaxValue
        ? deadline.ToUniversalTime() - channel.TimeProvider.GetUtcNow().UtcDateTime
        : null;

    /// <summary>From here on the deadline, the tokens and the channel end the call.</summary>
    public void WatchCauses()
    {
        Watch(options.CancellationToken);
        Watch((options.PropagationToken as PropagationToken)?.CancellationToken ?? default);
        Watch(channel.Disposed);
        if (TimeLeft is not { } left)
            return;
        if (left <= TimeSpan.Zero)
            DeadlinePassed();
        else if (left <= GrpcProtocol.MaxTimer)
            Hold(channel.TimeProvider.CreateTimer(static end => ((CallEnd)end!).DeadlinePassed(), this, left, Timeout.InfiniteTimeSpan));
    }

    /// <summary>Disposes <paramref name="resource"/> when the call ends, or now if it has.</summary>
    public void Hold(IDisposable resource)
    {
        lock (_gate)
        {
            if (_status is null)
            {
                _held.Add(resource);
                return;
            }
        }
        resource.Dispose();
    }

    public void CancelByCaller()
    {
        _cancelledByCaller = true;
        Set(new Status(StatusCode.Cancelled, "Call canceled by the client."));
    }

    public void Set(Exception exception) => Set(exception is RpcException rpcException ? rpcException.Status : ResponseStatus.FromException(exception));

    public void Set(Status status) => Set(status, Metadata.Empty);

    /// <summary>Ends the call, unless it has ended.</summary>
    public void Set(Status status, Metadata trailers)
    {
        lock (_gate)
        {
            if (_status is not null)
                return;
            _status = status;
            _trailers = trailers;
        }
        _ended.Cancel();
        foreach (IDisposable resource in _held)
        {
            // To dispose a registration would wait for it, and one of them may be what is running this.
            if (resource is CancellationTokenRegistration registration)
                registration.Unregister();
            else
                resource.Dispose();
        }
        _outcome.TrySetResult();
    }

    public Status GetStatus()
    {
        lock (_gate)
            return _status ?? throw new InvalidOperationException("Unable to get the status because the call is not complete.");
    }

    public Metadata GetTrailers()
    {
        lock (_gate)
            return _status is null ? throw new InvalidOperationException("Can't get the call trailers because the call has not completed successfully.") : _trailers;
    }

    public void ThrowUnlessOk()
    {
        if (GetStatus().StatusCode != StatusCode.OK)
            throw ToException();
    }

    public Exception ToException()
    {
        Status status = GetStatus();
        var exception = new RpcException(status, GetTrailers());
        return _cancelledByCaller && status.StatusCode == StatusCode.Cancelled && channel.ThrowOperationCanceledOnCancellation
            ? new OperationCanceledException(status.Detail, exception, options.CancellationToken)
            : exception;
    }

    private void DeadlinePassed() => Set(new Status(StatusCode.DeadlineExceeded, "Deadline Exceeded"));

    private void Watch(CancellationToken token)
    {
        if (token.CanBeCanceled)
            Hold(token.UnsafeRegister(static end => ((CallEnd)end!).CancelByCaller(), this));
    }

    private static DateTime? Earliest(DateTime? first, DateTime? second) =>
        first is null || second < first ? second ?? first : first;
}
