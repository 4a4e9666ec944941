using System.Threading.Channels;
using Grpc.Core;
using Grpc.Health.V1;
using Microsoft.Extensions.Hosting;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace Grpc.HealthCheck;

/// <summary>
/// <c>grpc.health.v1.Health</c>. Register one instance (<c>AddSingleton</c>), map it, and set statuses; when the
/// application stops, everything is NOT_SERVING and the watchers are sent away.
/// </summary>
public class HealthServiceImpl : Health.V1.Health.HealthBase
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ServingStatus> _statuses = [];
    private readonly Dictionary<string, List<Channel<ServingStatus>>> _watchers = [];
    private readonly CancellationToken _stopping;

    /// <summary>A service that knows no statuses yet.</summary>
    public HealthServiceImpl()
    {
    }

    /// <summary>A service that ends with the application.</summary>
    public HealthServiceImpl(IHostApplicationLifetime lifetime)
    {
        ArgumentNullException.ThrowIfNull(lifetime);
        _stopping = lifetime.ApplicationStopping;
        _stopping.Register(static health => ((HealthServiceImpl)health!).Stop(), this);
    }

    /// <summary>Sets the status of a service; an empty name is the server as a whole.</summary>
    public void SetStatus(string service, ServingStatus status)
    {
        ArgumentNullException.ThrowIfNull(service);
        lock (_gate)
        {
            _statuses[service] = _stopping.IsCancellationRequested ? ServingStatus.NotServing : status;
            Tell(service);
        }
    }

    /// <summary>Forgets a service.</summary>
    public void ClearStatus(string service)
    {
        ArgumentNullException.ThrowIfNull(service);
        lock (_gate)
        {
            if (_statuses.Remove(service))
                Tell(service);
        }
    }

    /// <summary>Forgets all services.</summary>
    public void ClearAll()
    {
        lock (_gate)
        {
            string[] services = [.. _statuses.Keys];
            _statuses.Clear();
            foreach (string service in services)
                Tell(service);
        }
    }

    /// <inheritdoc/>
    public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(request);
        lock (_gate)
        {
            return _statuses.TryGetValue(request.Service, out ServingStatus status)
                ? Task.FromResult(new HealthCheckResponse { Status = status })
                : throw new RpcException(new Status(StatusCode.NotFound, "unknown service"));
        }
    }

    /// <inheritdoc/>
    public override async Task Watch(HealthCheckRequest request, IServerStreamWriter<HealthCheckResponse> responseStream, ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(responseStream);
        ArgumentNullException.ThrowIfNull(context);
        // Only the newest status matters to a watcher that is behind.
        var changes = Channel.CreateBounded<ServingStatus>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        lock (_gate)
        {
            if (!_watchers.TryGetValue(request.Service, out List<Channel<ServingStatus>>? watchers))
                _watchers[request.Service] = watchers = [];
            watchers.Add(changes);
            changes.Writer.TryWrite(Current(request.Service));
            if (_stopping.IsCancellationRequested)
                changes.Writer.TryComplete();
        }
        try
        {
            ServingStatus? last = null;
            await foreach (ServingStatus status in changes.Reader.ReadAllAsync(context.CancellationToken).ConfigureAwait(false))
            {
                if (status == last)
                    continue;
                last = status;
                await responseStream.WriteAsync(new HealthCheckResponse { Status = status }, context.CancellationToken).ConfigureAwait(false);
            }
            throw new RpcException(new Status(StatusCode.Unavailable, "The server is shutting down."));
        }
        finally
        {
            lock (_gate)
            {
                List<Channel<ServingStatus>> watchers = _watchers[request.Service];
                watchers.Remove(changes);
                if (watchers.Count == 0)
                    _watchers.Remove(request.Service);
            }
        }
    }

    private void Stop()
    {
        lock (_gate)
        {
            foreach (string service in _statuses.Keys.ToArray())
            {
                _statuses[service] = ServingStatus.NotServing;
                Tell(service);
            }
            foreach (Channel<ServingStatus> watcher in _watchers.Values.SelectMany(watchers => watchers))
                watcher.Writer.TryComplete();
        }
    }

    private ServingStatus Current(string service) =>
        _statuses.TryGetValue(service, out ServingStatus status) ? status : ServingStatus.ServiceUnknown;

    private void Tell(string service)
    {
        if (!_watchers.TryGetValue(service, out List<Channel<ServingStatus>>? watchers))
            return;
        foreach (Channel<ServingStatus> watcher in watchers)
            watcher.Writer.TryWrite(Current(service));
    }
}
