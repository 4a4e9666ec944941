using Grpc.Core;

namespace Relay.Client;

/// <summary>Repeats a call that failed for a passing reason. Sound only because every mutation carries a request id, kept over the attempts.</summary>
internal static class Retry
{
    public static async Task<T> CallAsync<T>(RelayClientOptions options, Func<CallOptions, AsyncUnaryCall<T>> call, CancellationToken cancellation)
    {
        var backoff = new Backoff(options);
        var begun = options.Time.GetTimestamp();
        while (true)
        {
            try
            {
                var deadline = options.Time.GetUtcNow().UtcDateTime + options.AttemptTimeout;
                return await call(new CallOptions(deadline: deadline, cancellationToken: cancellation));
            }
            catch (RpcException e)
            {
                cancellation.ThrowIfCancellationRequested();
                var error = RelayException.From(e);
                if (!error.IsPassing || options.Time.GetElapsedTime(begun) > options.GiveUpAfter) throw error;
                await Task.Delay(backoff.Next(error.RetryAfter), options.Time, cancellation);
            }
        }
    }
}
