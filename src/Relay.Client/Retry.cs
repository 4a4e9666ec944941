using Grpc.Core;

namespace Relay.Client;

/// <summary>
/// Retries a call after a transient error, on the next server if there is one. This is safe because every mutation has a request id
/// (idempotency key) that all attempts share.
/// </summary>
internal static class Retry
{
    public static async Task<T> CallAsync<T>(RelayClientOptions options, ServerRing servers, Func<CallOptions, AsyncUnaryCall<T>> call,
        CancellationToken cancellation)
    {
        var rounds = new Rounds(servers, options);
        var begun = options.Time.GetTimestamp();
        while (true)
        {
            int server = servers.Current;
            try
            {
                var deadline = options.Time.GetUtcNow().UtcDateTime + options.AttemptTimeout;
                return await call(new CallOptions(deadline: deadline, cancellationToken: cancellation));
            }
            catch (RpcException e)
            {
                cancellation.ThrowIfCancellationRequested();
                var error = RelayException.From(e);
                if (!error.IsPassing) throw error;
                var wait = error.IsOfServer ? rounds.Fail(server, error.RetryAfter) : rounds.Stay(error.RetryAfter);
                if (wait is null) continue;
                if (options.Time.GetElapsedTime(begun) > options.GiveUpAfter) throw error;
                await Task.Delay(wait.Value, options.Time, cancellation);
            }
        }
    }
}
