using Grpc.HealthCheck;
using Relay.Actors;
using Relay.Gateway.Auth;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace Relay.Gateway.Hosting;

/// <summary>
/// Whether the server wants work, as it tells probes: the server as a whole (the empty name) and each service. It says no
/// before anything else happens when it drains.
/// </summary>
internal sealed class Readiness(HealthServiceImpl health, IRelay relay)
{
    private static readonly string[] s_services =
        ["", .. MethodScopes.Table.Keys.Where(m => m.StartsWith("/relay.", StringComparison.Ordinal)).Select(m => m.Split('/')[1]).Distinct()];
    private readonly Lock _lock = new();
    private bool _isOpen;
    private bool _isClosed;

    public bool IsReady
    {
        get { lock (_lock) return _isOpen && !_isClosed && relay.IsReady; }
    }

    /// <summary>From now on, until the actors drain or <see cref="Close"/>.</summary>
    public void Open()
    {
        lock (_lock)
        {
            _isOpen = true;
            if (!_isClosed) Set(ServingStatus.Serving);
        }
        relay.Draining.Register(Close);
    }

    /// <summary>For good.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            Set(ServingStatus.NotServing);
        }
    }

    private void Set(ServingStatus status)
    {
        foreach (var service in s_services) health.SetStatus(service, status);
    }
}
