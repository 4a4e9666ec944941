using Microsoft.Extensions.DependencyInjection;

namespace Grpc.AspNetCore.Server;

/// <summary>Configures gRPC in the services of an application.</summary>
public interface IGrpcServerBuilder
{
    /// <summary>The services.</summary>
    IServiceCollection Services { get; }
}
