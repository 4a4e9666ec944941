using System.Buffers.Binary;
using Microsoft.Extensions.Logging;
using Otr.Core;
using RabbitMQ.Client;
using Relay.Storage;

namespace Relay.Actors.Cluster.Broker;

/// <summary>
/// One connection for one purpose, made again whenever it is lost. It is up only while what stands on it has been set
/// up, and whoever uses it is told exactly when it is not: the library's own recovery would hide that.
/// </summary>
/// <param name="setUp">Makes the channels of a new connection. If it throws, the connection is given up.</param>
/// <param name="tearDown">The connection is gone, with all its channels.</param>
internal sealed class BrokerConnection(string purpose, BrokerFactory factory, RabbitBrokerOptions options, Func<IConnection, CancellationToken, Task> setUp, Action tearDown, BrokerTelemetry telemetry, ILogger log, TimeProvider time, IRandomSource random) : IAsyncDisposable
{
    private static readonly TimeSpan CloseLimit = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private TaskCompletionSource<IConnection> _up = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _running = Task.CompletedTask;

    public bool IsUp { get { lock (_lock) return _up.Task.IsCompletedSuccessfully; } }

    /// <summary>The connection, as soon as there is one.</summary>
    public Task<IConnection> WhenUpAsync(CancellationToken cancellation)
    {
        Task<IConnection> up;
        lock (_lock) up = _up.Task;
        return up.WaitAsync(cancellation);
    }

    /// <summary>Connects, and keeps connected from then on.</summary>
    /// <exception cref="RelayStartException">The broker refuses, or cannot be reached in time.</exception>
    public async Task StartAsync(CancellationToken cancellation)
    {
        long began = time.GetTimestamp();
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                _running = KeepAsync(await ConnectAsync(cancellation).ConfigureAwait(false));
                return;
            }
            catch (Exception e) when (!cancellation.IsCancellationRequested)
            {
                if (BrokerFaults.Lasting(e, options) is { } lasting) throw lasting;
                if (time.GetElapsedTime(began) > options.StartLimit) throw BrokerFaults.Unreachable(e, options);
                BrokerLog.ConnectFailed(log, purpose, BrokerFaults.Name(e));
            }
            await Task.Delay(Pause(attempt), time, cancellation).ConfigureAwait(false);
        }
    }

    private async Task KeepAsync((IConnection Connection, Task<string> Lost) held)
    {
        while (true)
        {
            await ((Task)held.Lost).WaitAsync(_stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            lock (_lock) _up = new(TaskCreationOptions.RunContinuationsAsynchronously);
            tearDown();
            await GiveUpAsync(held.Connection).ConfigureAwait(false);
            if (_stop.IsCancellationRequested) return;
            BrokerLog.Lost(log, purpose, await held.Lost.ConfigureAwait(false));
            telemetry.Reconnecting(purpose);
            if (await ReconnectAsync().ConfigureAwait(false) is not { } again) return;
            held = again;
        }
    }

    /// <returns>Null: stopping.</returns>
    private async Task<(IConnection, Task<string>)?> ReconnectAsync()
    {
        for (int attempt = 0; !_stop.IsCancellationRequested; attempt++)
        {
            await Task.Delay(Pause(attempt), time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_stop.IsCancellationRequested) break;
            try
            {
                return await ConnectAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                // Whatever it was: a node that runs does not give up, it is not ready meanwhile.
                if (!_stop.IsCancellationRequested) BrokerLog.ConnectFailed(log, purpose, BrokerFaults.Name(e));
            }
        }
        return null;
    }

    private async Task<(IConnection, Task<string>)> ConnectAsync(CancellationToken cancellation)
    {
        var connection = await factory.ConnectAsync($"relay {options.NodeName} {purpose}", cancellation).ConfigureAwait(false);
        var lost = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            connection.ConnectionShutdownAsync += (_, reason) =>
            {
                lost.TrySetResult($"{reason.Initiator} {reason.ReplyCode}");
                return Task.CompletedTask;
            };
            await setUp(connection, cancellation).ConfigureAwait(false);
        }
        catch
        {
            tearDown();
            await GiveUpAsync(connection).ConfigureAwait(false);
            throw;
        }
        BrokerLog.Connected(log, purpose);
        lock (_lock) _up.TrySetResult(connection);
        return (connection, lost.Task);
    }

    /// <summary>Closes a connection that may be open, closed or hanging.</summary>
    private async Task GiveUpAsync(IConnection connection)
    {
        try
        {
            await connection.CloseAsync(Constants.ReplySuccess, "", CloseLimit, abort: true, CancellationToken.None).ConfigureAwait(false);
            await connection.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            BrokerLog.CloseFailed(log, BrokerFaults.Name(e));
        }
    }

    /// <summary>Doubles with each attempt up to the most, and as much again at random, so that nodes do not come back all at once.</summary>
    private TimeSpan Pause(int attempt)
    {
        double pause = Math.Min(RelayLimits.BrokerRetry.TotalMilliseconds * Math.Pow(2, Math.Min(attempt, 16)), RelayLimits.MaxBrokerRetry.TotalMilliseconds);
        Span<byte> draw = stackalloc byte[4];
        random.Fill(draw);
        return TimeSpan.FromMilliseconds(pause * (1 + BinaryPrimitives.ReadUInt32LittleEndian(draw) / (double)uint.MaxValue));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }
}
