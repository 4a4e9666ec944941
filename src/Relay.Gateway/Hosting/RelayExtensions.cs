using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Otr.Core;
using Relay.Gateway.Api;
using Relay.Gateway.Auth;
using Relay.Gateway.Services;
using Relay.Gateway.Streams;
using Relay.Gateway.Telemetry;
using Relay.Storage;

namespace Relay.Gateway.Hosting;

/// <summary>A Relay server as a part of a web application: the composition root.</summary>
public static class RelayExtensions
{
    /// <summary>Adds the configuration's sources, options, actors, gRPC, authentication, health checks and telemetry.</summary>
    /// <param name="switches">By the name of a switch (<c>--listen</c>) or by key (<c>Relay:DataDirectory</c>).</param>
    /// <exception cref="RelayConfigurationException">Everything that is wrong with the configuration; nothing has been made or changed.</exception>
    public static WebApplicationBuilder AddRelay(this WebApplicationBuilder builder, IReadOnlyDictionary<string, string>? switches = null)
    {
        builder.Configuration.AddRelaySources(builder.Environment.ContentRootPath, builder.Environment.EnvironmentName, switches);
        // Before the host is built: Kestrel and the loggers read their sections then, and would each stop at the first mistake.
        if (RelayOptionsValidator.Read(builder.Configuration).Mistakes is { Count: > 0 } mistakes) throw new RelayConfigurationException(mistakes);
        var services = builder.Services;
        services.AddSingleton<IValidateOptions<RelayOptions>, RelayOptionsValidator>();
        services.AddOptions<RelayOptions>().Configure<IConfiguration>((options, configuration) => RelaySettings.Read(configuration, options)).ValidateOnStart();
        services.AddOptions<HostOptions>().Configure<IOptions<RelayOptions>>((host, relay) =>
            host.ShutdownTimeout = relay.Value.Drain.Delay + relay.Value.Drain.Timeout + 2 * DrainService.ConnectionGrace);
        AddActors(services);
        services.AddRelayApiKeys();
        services.AddAuthorization(Policies.Add);
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = GatewayLimits.MaxReceiveMessageBytes;
            grpc.EnableDetailedErrors = false;
            grpc.Interceptors.Add<ErrorInterceptor>();
            grpc.Interceptors.Add<DrainInterceptor>();
        });
        services.AddGrpcReflection();
        services.AddGrpcHealthChecks(Readiness.MapServices).AddCheck<Readiness>(Readiness.CheckName);
        builder.AddRelayLogging();
        builder.AddRelayTelemetry();
        services.AddSingleton<ServerCertificate>();
        services.AddSingleton<Listeners>();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(Listeners.Configure);
        return builder;
    }

    /// <summary>Maps services, health, reflection and probes.</summary>
    public static WebApplication MapRelay(this WebApplication app)
    {
        app.CountCallFaults();
        app.CloseWhenDraining();
        app.UseRouting();
        app.KeepProbesApart();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapGrpcService<EndpointService>();
        app.MapGrpcService<ConversationService>();
        app.MapGrpcService<MessageService>();
        app.MapGrpcService<EventService>();
        app.MapGrpcService<BridgeService>();
        app.MapGrpcService<AdminService>();
        // Probes have no keys, and learn no more than that the server is there.
        app.MapGrpcHealthChecksService().AllowAnonymous();
        app.MapGrpcReflectionService().RequireAuthorization(Policies.AnyKey);
        app.MapProbes();
        return app;
    }

    /// <summary>Starts the server, and says in its own words why it cannot.</summary>
    /// <exception cref="RelayConfigurationException">Everything that is wrong with the configuration.</exception>
    /// <exception cref="RelayStartException">Why it refuses; nothing was overwritten.</exception>
    public static async Task StartRelayAsync(this WebApplication app, CancellationToken cancellation)
    {
        try
        {
            await app.StartAsync(cancellation);
        }
        catch (Exception e)
        {
            await app.Services.GetRequiredService<RelayService>().CloseAsync();
            // Kestrel's way to say that the port is taken.
            if (e is IOException && app.Services.GetRequiredService<RelayService>().IsOpen)
                throw new RelayStartException($"Relay cannot listen: {e.Message} Choose another address with --listen or --health-listen; port 0 takes a free one.", e);
            if (e is StoreException) throw new RelayStartException($"The API keys cannot be written: {e.Message}", e);
            if (e is OptionsValidationException invalid) throw new RelayConfigurationException([.. invalid.Failures], e);
            throw;
        }
    }

    private static void AddActors(IServiceCollection services)
    {
        services.TryAddSingleton<OpenRelay>(RelayService.OpenAsync);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IRandomSource>(SystemRandom.Instance);
        services.AddSingleton<ServerInfo>();
        services.AddSingleton<RelayService>();
        services.AddSingleton(s => s.GetRequiredService<RelayService>().Relay);
        services.AddSingleton(s => s.GetRequiredService<RelayService>().Keys);
        services.AddSingleton<GatewayMetrics>();
        services.AddSingleton<WireTakeover>();
        services.AddSingleton<Readiness>();
        services.AddSingleton<DrainService>();
        services.AddHostedService(s => s.GetRequiredService<RelayService>());
        services.AddHostedService(s => s.GetRequiredService<DrainService>());
    }
}
