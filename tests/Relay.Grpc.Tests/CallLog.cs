using Grpc.Core;

namespace GrpcTests;

/// <summary>What a test learns from, and tells, a handler.</summary>
public sealed class CallLog
{
    /// <summary>Completed by a handler that has begun to wait.</summary>
    public TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completed by a handler whose token was cancelled.</summary>
    public TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completed by a test to let a handler go on that does not look at its token.</summary>
    public TaskCompletionSource Release { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Waits for the token of the call, and tells.</summary>
    public async Task UntilCancelledAsync(ServerCallContext context)
    {
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, context.CancellationToken);
        }
        finally
        {
            Cancelled.TrySetResult();
        }
    }
}
