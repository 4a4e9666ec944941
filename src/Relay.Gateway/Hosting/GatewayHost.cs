using System.Reflection;
using System.Security.Cryptography.X509Certificates;
using Grpc.AspNetCore.Server;
using Grpc.HealthCheck;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Actors;
using Relay.Gateway.Auth;
using Relay.Gateway.Errors;
using Relay.Gateway.Services;
using Relay.Gateway.Streams;
using Relay.Gateway.Telemetry;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace Relay.Gateway.Hosting;

/// <summary>A running server: the composition root.</summary>
public sealed class GatewayHost : IAsyncDisposable
{
    private static readonly TimeSpan s_stopTimeout = TimeSpan.FromSeconds(5);
    private readonly WebApplication _app;
    private readonly IRelay _relay;
    private readonly ILoggerFactory _loggers;
    private readonly TelemetryExport _telemetry;
    private bool _drained;

    private GatewayHost(WebApplication app, IRelay relay, ILoggerFactory loggers, TelemetryExport telemetry, Uri address, bool madeAdminKey)
    {
        _app = app;
        _relay = relay;
        _loggers = loggers;
        _telemetry = telemetry;
        Address = address;
        MadeAdminKey = madeAdminKey;
    }

    /// <summary>The product's version.</summary>
    public static string Version { get; } =
        typeof(GatewayHost).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    /// <summary>Where clients reach the server.</summary>
    public Uri Address { get; }

    /// <summary>True if this was the first start, and `admin.key` was made.</summary>
    public bool MadeAdminKey { get; }

    /// <summary>Starts the embedded server: SQLite in the data directory, shards in this process.</summary>
    /// <exception cref="RelayStartException">Why it refuses; nothing was overwritten.</exception>
    public static Task<GatewayHost> StartAsync(GatewayOptions options, CancellationToken cancellation) =>
        StartAsync(options, loggers => EmbeddedRelay.OpenAsync(
            new EmbeddedRelayOptions(options.DataDirectory) { Shards = options.Shards, SealingKeyFile = options.SealingKeyFile }, loggers, TimeProvider.System, SystemRandom.Instance, cancellation), cancellation);

    /// <summary>Starts a server in front of any implementation of the actors, which it then owns.</summary>
    /// <exception cref="RelayStartException">Why it refuses.</exception>
    public static Task<GatewayHost> StartAsync(GatewayOptions options, IRelay relay, CancellationToken cancellation) =>
        StartAsync(options, _ => Task.FromResult(relay), cancellation);

    private static async Task<GatewayHost> StartAsync(GatewayOptions options, Func<ILoggerFactory, Task<IRelay>> open, CancellationToken cancellation)
    {
        // Before anything is made: a refusal for want of a certificate leaves no directory behind.
        var certificate = Transport.Certificate(options);
        OtrKernel.WarmUp();
        var telemetry = TelemetryExport.Start();
        var loggers = LoggerFactory.Create(logging => Logs.Configure(logging, options, telemetry));
        if (options.CertificateFile is { } pem && PrivateFile.IsOpenToEverybody(options.CertificateKeyFile ?? pem)) loggers.CreateLogger("Relay.Gateway").KeyIsOpen(options.CertificateKeyFile ?? pem);
        IRelay? relay = null;
        WebApplication? app = null;
        try
        {
            relay = await open(loggers);
            var keys = ApiKeyFile.Open(options.DataDirectory);
            bool madeAdminKey = AdminKey.Ensure(options.DataDirectory, keys, SystemRandom.Instance, TimeProvider.System);
            app = Build(options, relay, keys, loggers, certificate);
            await app.StartAsync(cancellation);
            ReportHealth(app.Services.GetRequiredService<HealthServiceImpl>(), relay);
            var bound = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
            return new GatewayHost(app, relay, loggers, telemetry, new Uri(bound), madeAdminKey);
        }
        catch (Exception e)
        {
            if (app is not null) await app.DisposeAsync();
            if (relay is not null) await relay.DisposeAsync();
            loggers.Dispose();
            telemetry.Dispose();
            // Kestrel's way to say that the port is taken.
            if (e is IOException && app is not null) throw new RelayStartException($"Relay cannot listen on {options.Listen}: {e.Message} Choose another with --listen; port 0 takes a free one.", e);
            throw;
        }
    }

    private static WebApplication Build(GatewayOptions options, IRelay relay, ApiKeyFile keys, ILoggerFactory loggers, X509Certificate2? certificate)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.Sources.Clear();
        builder.Services.AddSingleton(loggers);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => Transport.Configure(kestrel, options, certificate));
        AddServices(builder.Services, options, relay, keys);
        var app = builder.Build();
        MapServices(app);
        return app;
    }

    private static void AddServices(IServiceCollection services, GatewayOptions options, IRelay relay, ApiKeyFile keys)
    {
        services.AddSingleton<IHostLifetime, NoSignals>();
        services.AddSingleton(options);
        services.AddSingleton(relay);
        services.AddSingleton(keys);
        services.AddSingleton<IRandomSource>(SystemRandom.Instance);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(new GatewayClock(TimeProvider.System));
        services.AddSingleton<GatewayMetrics>();
        services.AddSingleton<WireTakeover>();
        services.AddSingleton<HealthServiceImpl>();
        services.AddGrpcReflection();
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = GatewayLimits.MaxReceiveMessageBytes;
            grpc.EnableDetailedErrors = false;
            grpc.Interceptors.Add<ErrorInterceptor>();
            grpc.Interceptors.Add<AuthInterceptor>();
        });
    }

    private static void MapServices(WebApplication app)
    {
        app.MapGrpcService<EndpointApi>();
        app.MapGrpcService<ConversationApi>();
        app.MapGrpcService<MessageApi>();
        app.MapGrpcService<EventApi>();
        app.MapGrpcService<BridgeApi>();
        app.MapGrpcService<AdminApi>();
        app.MapGrpcService<HealthServiceImpl>();
        app.MapGrpcReflectionService();
    }

    /// <summary>The server as a whole (the empty name) and each service: serving, until draining begins.</summary>
    private static void ReportHealth(HealthServiceImpl health, IRelay relay)
    {
        string[] services = ["", .. MethodScopes.Table.Keys.Where(m => m.StartsWith("/relay.", StringComparison.Ordinal)).Select(m => m.Split('/')[1]).Distinct()];
        void Set(ServingStatus status)
        {
            foreach (var service in services) health.SetStatus(service, status);
        }
        Set(ServingStatus.Serving);
        relay.Draining.Register(() => Set(ServingStatus.NotServing));
    }

    /// <summary>
    /// Takes no new work, tells the streams to reconnect elsewhere, finishes and commits what is in flight, and stops
    /// listening. Harmless when repeated.
    /// </summary>
    public async Task DrainAsync(CancellationToken cancellation)
    {
        if (_drained) return;
        _drained = true;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(GatewayLimits.DrainTimeout);
        await _relay.DrainAsync(limit.Token);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        stop.CancelAfter(s_stopTimeout);
        await _app.StopAsync(stop.Token);
    }

    /// <summary>Stops at once, if <see cref="DrainAsync"/> has not been called.</summary>
    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        if (!_drained) await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
        await _relay.DisposeAsync();
        _loggers.Dispose();
        _telemetry.Dispose();
    }

    /// <summary>The process's signals are its owner's business, not the web server's.</summary>
    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
