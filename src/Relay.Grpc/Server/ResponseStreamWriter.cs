using Grpc.Core;

namespace Grpc.AspNetCore.Server;

/// <summary>The stream of responses of one call.</summary>
internal sealed class ResponseStreamWriter<TResponse>(HttpContextServerCallContext call, Action<TResponse, SerializationContext> serializer) : IServerStreamWriter<TResponse>
    where TResponse : class
{
    public WriteOptions? WriteOptions
    {
        get => call.WriteOptions;
        set => call.WriteOptions = value;
    }

    public Task WriteAsync(TResponse message) => WriteAsync(message, CancellationToken.None);

    public async Task WriteAsync(TResponse message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        CancellationToken callToken = call.CancellationToken;
        WriteOptions? options = call.WriteOptions;
        bool flush = options is null || (options.Flags & WriteFlags.BufferHint) == 0;
        if (!cancellationToken.CanBeCanceled || cancellationToken == callToken)
        {
            await call.Output.WriteAsync(message, serializer, options, flush, callToken).ConfigureAwait(false);
            return;
        }
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(callToken, cancellationToken);
        await call.Output.WriteAsync(message, serializer, options, flush, linked.Token).ConfigureAwait(false);
    }
}
