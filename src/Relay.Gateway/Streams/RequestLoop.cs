using Grpc.Core;

namespace Relay.Gateway.Streams;

/// <summary>Why reading a client's requests came to its end.</summary>
internal enum RequestsEnd
{
    /// <summary>The client closed its side.</summary>
    Closed,
    /// <summary>The server drains.</summary>
    Draining,
}

/// <summary>Reads a client's requests one by one, until it closes, the server drains, or a task of the stream fails.</summary>
internal static class RequestLoop
{
    public static async Task<RequestsEnd> RunAsync<T>(
        IAsyncStreamReader<T> requests, Func<T, CancellationToken, ValueTask> handle, TaskGroup group, CancellationToken draining)
    {
        var drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = draining.UnsafeRegister(static s => ((TaskCompletionSource)s!).TrySetResult(), drained);
        var over = Task.WhenAny(group.Faulted, drained.Task);
        while (true)
        {
            var read = requests.MoveNext(CancellationToken.None);
            // What ends the stream comes first: a client that always has a next request ready must not outlive its key.
            if (over.IsCompleted || (!read.IsCompleted && await Task.WhenAny(over, read) == over))
            {
                // The read ends with the call, one way or the other; its outcome concerns nobody any more.
                _ = read.ContinueWith(static t => t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
                await await over;
                return RequestsEnd.Draining;
            }
            if (!await read) return RequestsEnd.Closed;
            try
            {
                await handle(requests.Current, group.Stopping);
            }
            catch (OperationCanceledException) when (group.Faulted.IsCompleted)
            {
                // The group stopped under its hands; the fault says why.
                await group.Faulted;
            }
        }
    }
}
