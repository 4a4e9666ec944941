using System.Threading.Channels;
using Grpc.Core;
using Relay.Client;

namespace Relay.Gateway.Tests.Harness;

/// <summary>Waiting for what must happen: as long as a busy machine may need, and no longer.</summary>
public static class Patience
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static async Task<T> NextAsync<T>(this ChannelReader<T> reader) => await reader.ReadAsync().AsTask().WaitAsync(Limit);

    public static CancellationToken Token => new CancellationTokenSource(Limit).Token;

    /// <summary>Returns once it is so.</summary>
    public static async Task UntilAsync(Func<bool> isSo)
    {
        var token = Token;
        while (!isSo()) await Task.Delay(20, token);
    }

    /// <summary>Writes a request. If the server has ended the call already, the reader will hear why.</summary>
    public static async Task SayAsync<T>(this IClientStreamWriter<T> requests, T request)
    {
        try
        {
            await requests.WriteAsync(request);
        }
        catch (RpcException) { }
    }

    /// <summary>
    /// Reads until the server ends the stream, within one limit for all of it: keep-alives come for ever on a stream that does not end.
    /// </summary>
    public static async Task EndsAsync<T>(this IAsyncStreamReader<T> responses)
    {
        var token = Token;
        while (await responses.MoveNext(token)) { }
    }

    /// <summary>The first event that fits; acknowledges nothing.</summary>
    public static async Task<BotEvent> FirstAsync(this IAsyncEnumerable<BotEvent> events, Func<BotEvent, bool> fits)
    {
        await foreach (var e in events.WithCancellation(Token))
        {
            if (fits(e)) return e;
        }
        throw new InvalidOperationException("The events ended.");
    }
}
