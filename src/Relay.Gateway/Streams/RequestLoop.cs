using Grpc.Core;

namespace Relay.Gateway.Streams;

/// <summary>The reason why no more requests are read from a stream.</summary>
internal enum RequestsEnd
{
    /// <summary>The client closed the request side.</summary>
    Closed,
    /// <summary>The server is draining.</summary>
    Draining,
}

/// <summary>
/// Reads a client's requests one by one, until the client closes the request side, the server drains, or a task of the stream fails.
/// </summary>
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
            // The end of the stream is checked first: a client that always has a next request ready must not outlive its key.
            if (over.IsCompleted || (!read.IsCompleted && await Task.WhenAny(over, read) == over))
            {
                // The pending read ends with the call; its exception is observed here and ignored.
                _ = read.ContinueWith(
                    static t => t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
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
                // The group stopped while the request was handled; its fault is the cause.
                await group.Faulted;
            }
        }
    }
}
