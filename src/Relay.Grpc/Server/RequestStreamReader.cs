using Grpc.Core;
using Grpc.Wire;

namespace Grpc.AspNetCore.Server;

/// <summary>The stream of requests of one call.</summary>
internal sealed class RequestStreamReader<TRequest>(HttpContextServerCallContext call, MessageReader<TRequest> reader) : IAsyncStreamReader<TRequest>, IAsyncDisposable
    where TRequest : class
{
    private TRequest? _current;
    private readonly CancellationTokenSource _left = CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken);
    private Task<bool> _read = Task.FromResult(false);
    private bool _ended;
    private int _reading;

    public TRequest Current => _current ?? throw new InvalidOperationException("No current element is available.");

    public Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled<bool>(cancellationToken);
        if (Interlocked.Exchange(ref _reading, 1) != 0)
            return Task.FromException<bool>(new InvalidOperationException("Can't read the next message because the previous read is still in progress."));
        return _read = ReadAsync(cancellationToken);
    }

    /// <summary>
    /// Ends a read that the handler has left behind. The server uses the request's pipe again for another call of the
    /// connection, and would give that call's messages to whoever still reads.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Volatile.Read(ref _reading) != 0)
        {
            await _left.CancelAsync().ConfigureAwait(false);
            await ((Task)_read).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        _left.Dispose();
    }

    private async Task<bool> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (_ended)
                return false;
            _current = null;
            if (!cancellationToken.CanBeCanceled || cancellationToken == call.CancellationToken)
            {
                _current = await reader.ReadAsync(_left.Token).ConfigureAwait(false);
            }
            else
            {
                using var linked = CancellationTokenSource.CreateLinkedTokenSource(_left.Token, cancellationToken);
                _current = await reader.ReadAsync(linked.Token).ConfigureAwait(false);
            }
            _ended = _current is null;
            return !_ended;
        }
        finally
        {
            Volatile.Write(ref _reading, 0);
        }
    }
}
