using Microsoft.Extensions.Options;

namespace Grpc.AspNetCore.Server;

/// <summary>Options of one service; they begin as those of all.</summary>
public class GrpcServiceOptions<TService> : GrpcServiceOptions
    where TService : class
{
    /// <summary>Whether there are options for this service at all.</summary>
    internal bool IsConfigured { get; set; }
}

/// <summary>Begins the options of one service with those of all.</summary>
internal sealed class GrpcServiceOptionsSetup<TService>(IOptions<GrpcServiceOptions> options) : IConfigureOptions<GrpcServiceOptions<TService>>
    where TService : class
{
    public void Configure(GrpcServiceOptions<TService> target)
    {
        GrpcServiceOptions source = options.Value;
        target.IsConfigured = true;
        target.MaxSendMessageSize = source.MaxSendMessageSize;
        target.MaxReceiveMessageSize = source.MaxReceiveMessageSize;
        target.EnableDetailedErrors = source.EnableDetailedErrors;
        target.CompressionProviders = [.. source.CompressionProviders];
        target.ResponseCompressionAlgorithm = source.ResponseCompressionAlgorithm;
        target.ResponseCompressionLevel = source.ResponseCompressionLevel;
        target.IgnoreUnknownServices = source.IgnoreUnknownServices;
        foreach (InterceptorRegistration registration in source.Interceptors)
            target.Interceptors.Add(registration);
    }
}
