using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Relay.Bridges;

/// <summary>Adds bridges to a host.</summary>
public static class BridgesExtensions
{
    /// <summary>
    /// Adds a bridge that runs as long as the host. Several may be added. A bridge that has to stop does not stop the host: its
    /// <see cref="BridgeWorker.Health"/> and the log say why.
    /// </summary>
    public static IServiceCollection AddRelayBridge(this IServiceCollection services, Func<IServiceProvider, BridgeWorker> create) =>
        services.AddSingleton<IHostedService>(create);
}
