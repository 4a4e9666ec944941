using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Otr.Core;
using Relay.Gateway.Api;
using Relay.Gateway.Audit;
using Relay.Gateway.Auth;
using Relay.Gateway.Files;
using Relay.Gateway.Limits;
using Relay.Gateway.OpenApi;
using Relay.Gateway.Services;
using Relay.Gateway.Streams;
using Relay.Gateway.Telemetry;
using Relay.Gateway.WebConsole;
using Relay.Gateway.Webhooks;
using Relay.Storage;

namespace Relay.Gateway.Hosting;

/// <summary>The composition root: adds a Relay server to a web application, maps its services and starts it.</summary>
public static class RelayExtensions
{
    /// <summary>Adds configuration sources, options, actors, gRPC, authentication, health checks and telemetry.</summary>
    /// <param name="switches">Values by the name of a switch (<c>--listen</c>) or by key (<c>Relay:DataDirectory</c>).</param>
    /// <exception cref="RelayConfigurationException">
    /// The configuration is not valid; the exception lists every mistake. Nothing has been created or changed.
    /// </exception>
    public static WebApplicationBuilder AddRelay(this WebApplicationBuilder builder, IReadOnlyDictionary<string, string>? switches = null)
    {
        builder.Configuration.AddRelaySources(builder.Environment.ContentRootPath, builder.Environment.EnvironmentName, switches);
        // Checked before the host is built: Kestrel and the loggers read their sections then, and would stop at their first mistake.
        var (read, mistakes) = RelayOptionsValidator.Read(builder.Configuration);
        if (mistakes.Count > 0) throw new RelayConfigurationException(mistakes);
        var services = builder.Services;
        services.AddSingleton<IValidateOptions<RelayOptions>, RelayOptionsValidator>();
        services.AddOptions<RelayOptions>()
            .Configure<IConfiguration>((options, configuration) => RelaySettings.Read(configuration, options)).ValidateOnStart();
        services.AddOptions<HostOptions>().Configure<IOptions<RelayOptions>>((host, relay) =>
            host.ShutdownTimeout = relay.Value.Drain.Delay + relay.Value.Drain.Timeout + 2 * DrainService.ConnectionGrace);
        AddActors(services);
        services.AddRelayAuthentication(hasTokens: read.Tokens.Issuer is not null);
        services.AddAuthorization(Policies.Add);
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = GatewayLimits.MaxReceiveMessageBytes;
            grpc.EnableDetailedErrors = false;
            foreach (var interceptor in CallInterceptors.All) grpc.Interceptors.Add(interceptor);
        }).AddJsonTranscoding(JsonApi.Configure);
        services.AddGrpcReflection();
        services.AddGrpcHealthChecks(Readiness.MapServices).AddCheck<Readiness>(Readiness.CheckName);
        services.RefuseMalformedMessages();
        builder.AddRelayLogging();
        builder.AddRelayTelemetry();
        services.AddSingleton<ServerCertificate>();
        services.AddSingleton<Listeners>();
        if (builder.Configuration[RelaySettings.ConsoleUrl] is { Length: > 0 }) services.AddRelayConsole();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(Listeners.Configure);
        return builder;
    }

    /// <summary>Maps the gRPC services, health checks, reflection and HTTP probes.</summary>
    public static WebApplication MapRelay(this WebApplication app)
    {
        app.ServeConsole();
        app.CountCallFaults();
        app.CloseWhenDraining();
        app.UseRouting();
        app.KeepProbesApart();
        app.PrepareJsonCalls();
        app.ProtectReferencePage();
        app.UseAuthentication();
        app.UseAuthorization();
        app.ServeEventStreams();
        app.ExplainMalformedJson();
        app.MapGrpcService<EndpointService>();
        app.MapGrpcService<ConversationService>();
        app.MapGrpcService<IdentityService>();
        app.MapGrpcService<VerificationService>();
        app.MapGrpcService<MessageService>();
        app.MapGrpcService<FileService>();
        app.MapGrpcService<EventService>();
        app.MapGrpcService<SubscriptionService>();
        app.MapGrpcService<BridgeService>();
        app.MapGrpcService<AdminService>();
        // Probes have no API keys; the answer reveals no more than whether the server is ready.
        app.MapGrpcHealthChecksService().AllowAnonymous();
        app.MapGrpcReflectionService();
        app.MapOpenApi();
        app.MapReferencePage();
        app.MapBlobLinks();
        app.MapProbes();
        app.MapMetrics();
        return app;
    }

    /// <summary>Starts the server, and translates expected failures to exceptions with a message for the operator.</summary>
    /// <exception cref="RelayConfigurationException">The configuration is not valid; the exception lists every mistake.</exception>
    /// <exception cref="RelayStartException">The server cannot start; the message says why. Nothing was overwritten.</exception>
    public static async Task StartRelayAsync(this WebApplication app, CancellationToken cancellation)
    {
        try
        {
            await app.StartAsync(cancellation);
        }
        catch (Exception e)
        {
            await app.Services.GetRequiredService<RelayService>().CloseAsync();
            // Kestrel throws IOException if the port is in use.
            if (e is IOException && app.Services.GetRequiredService<RelayService>().IsOpen)
            {
                throw new RelayStartException($"Relay cannot listen: {e.Message} Choose another address with --listen, --http-listen or "
                    + "--health-listen; port 0 selects a free one.", e);
            }
            if (e is StoreException) throw new RelayStartException($"The API keys cannot be written: {e.Message}", e);
            if (e is OptionsValidationException invalid) throw new RelayConfigurationException([.. invalid.Failures], e);
            throw;
        }
    }

    private static void AddActors(IServiceCollection services)
    {
        services.TryAddSingleton<OpenRelay>(RelayService.OpenAsync);
        services.TryAddSingleton<EndProcess>(s => code =>
        {
            // The console logger writes from a queue; disposing of it flushes the queue.
            Task.Run(s.GetRequiredService<ILoggerFactory>().Dispose).Wait(GatewayLimits.LogFlushTimeout);
            Environment.Exit(code);
        });
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IRandomSource>(SystemRandom.Instance);
        services.AddSingleton<ServerInfo>();
        services.AddSingleton<RelayService>();
        services.AddSingleton(s => s.GetRequiredService<RelayService>().Relay);
        services.AddSingleton(s => s.GetRequiredService<RelayService>().Keys);
        services.AddSingleton<GatewayMetrics>();
        services.AddHostedService<MetricsStart>();
        services.AddSingleton<WireTakeover>();
        services.AddSingleton<SendWaits>();
        services.AddSingleton<CallerQuotas>();
        services.AddSingleton<BlobQuotas>();
        services.AddRelayAudit();
        services.AddHostedService<WebhookDispatcher>();
        services.AddSingleton<Readiness>();
        services.AddSingleton<DrainService>();
        services.AddHostedService(s => s.GetRequiredService<RelayService>());
        services.AddHostedService(s => s.GetRequiredService<DrainService>());
    }
}
