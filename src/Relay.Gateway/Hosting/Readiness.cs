using Grpc.AspNetCore.HealthChecks;
using Grpc.HealthCheck;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace Relay.Gateway.Hosting;

/// <summary>
/// The health check behind every probe: whether the server wants work. It is healthy from the end of the start until the
/// drain begins, for the server as a whole (the empty name) and for each service.
/// </summary>
internal sealed class Readiness(HealthServiceImpl watchers, RelayService actors) : IHealthCheck
{
    public const string CheckName = "ready";

    private static readonly string[] s_services =
    [
        "",
        .. new[] { V1.EndpointReflection.Descriptor, V1.ConversationReflection.Descriptor, V1.EventReflection.Descriptor, V1.BridgeReflection.Descriptor, V1.AdminReflection.Descriptor }
            .SelectMany(file => file.Services).Select(service => service.FullName),
    ];
    private readonly Lock _lock = new();
    private bool _isOpen;
    private bool _isClosed;

    public bool IsReady
    {
        get { lock (_lock) return _isOpen && !_isClosed && actors.Relay.IsReady; }
    }

    /// <summary>Names the services that gRPC probes may ask for.</summary>
    public static void MapServices(GrpcHealthChecksOptions options)
    {
        options.Services.Clear();
        foreach (var service in s_services) options.Services.Map(service, static check => check.Name == CheckName);
    }

    /// <summary>Says that the server is ready, until the actors drain or <see cref="Close"/> is called.</summary>
    public void Open()
    {
        lock (_lock)
        {
            _isOpen = true;
            if (!_isClosed) Tell(ServingStatus.Serving);
        }
        actors.Relay.Draining.Register(Close);
    }

    /// <summary>Marks the server as not ready; irreversible.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            Tell(ServingStatus.NotServing);
        }
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(IsReady ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy());

    /// <summary>Checks are evaluated when they are asked for; open watches hear of a change only in this way.</summary>
    private void Tell(ServingStatus status)
    {
        foreach (var service in s_services) watchers.SetStatus(service, status);
    }
}
