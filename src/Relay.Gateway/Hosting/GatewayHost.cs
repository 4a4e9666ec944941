using System.Reflection;
using System.Security.Cryptography.X509Certificates;
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
using Relay.Storage;

namespace Relay.Gateway.Hosting;

/// <summary>A running server: the composition root.</summary>
public sealed class GatewayHost : IAsyncDisposable
{
    private static readonly TimeSpan s_stopTimeout = TimeSpan.FromSeconds(5);
    private readonly GatewayOptions _options;
    private readonly WebApplication _app;
    private readonly IRelay _relay;
    private readonly IApiKeyStore _keys;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _log;
    private readonly TelemetryExport _telemetry;
    private Task<bool>? _drained;

    private GatewayHost(GatewayOptions options, WebApplication app, IRelay relay, IApiKeyStore keys, ILoggerFactory loggers, TelemetryExport telemetry, bool madeAdminKey)
    {
        _options = options;
        _app = app;
        _relay = relay;
        _keys = keys;
        _loggers = loggers;
        _log = loggers.CreateLogger("Relay.Gateway");
        _telemetry = telemetry;
        // In the order in which they were bound: clients' first, then the probes'.
        var bound = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(a => new Uri(a)).ToList();
        Address = bound[0];
        HealthAddress = bound.Count > 1 ? bound[1] : null;
        MadeAdminKey = madeAdminKey;
    }

    /// <summary>The product's version.</summary>
    public static string Version { get; } =
        typeof(GatewayHost).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    /// <summary>Where clients reach the server.</summary>
    public Uri Address { get; }

    /// <summary>Where probes reach it by plain HTTP, if anywhere.</summary>
    public Uri? HealthAddress { get; }

    /// <summary>True if this was the first start, and `admin.key` was made.</summary>
    public bool MadeAdminKey { get; }

    /// <summary>Starts a node of a cluster, or the embedded server: SQLite in the data directory, shards in this process.</summary>
    /// <exception cref="RelayStartException">Why it refuses; nothing was overwritten.</exception>
    public static Task<GatewayHost> StartAsync(GatewayOptions options, CancellationToken cancellation) =>
        StartAsync(options, loggers => Actors(options, loggers, cancellation), cancellation);

    /// <summary>Starts a server in front of any implementation of the actors, which it then owns.</summary>
    /// <exception cref="RelayStartException">Why it refuses.</exception>
    public static Task<GatewayHost> StartAsync(GatewayOptions options, IRelay relay, CancellationToken cancellation) =>
        StartAsync(options, _ => Task.FromResult(relay), cancellation);

    private static Task<IRelay> Actors(GatewayOptions options, ILoggerFactory loggers, CancellationToken cancellation) => options.Cluster is { } cluster
        ? ClusterRelay.OpenAsync(
            new ClusterRelayOptions(cluster.Database, cluster.Broker)
            {
                DataDirectory = options.DataDirectory,
                SealingKeyFile = options.SealingKeyFile,
                NodeName = cluster.NodeName,
                Shards = options.Shards,
                BrokerCertificateAuthorityFile = cluster.BrokerCertificateAuthorityFile,
            }, loggers, TimeProvider.System, SystemRandom.Instance, cancellation)
        : EmbeddedRelay.OpenAsync(
            new EmbeddedRelayOptions(options.DataDirectory) { Shards = options.Shards, SealingKeyFile = options.SealingKeyFile },
            loggers, TimeProvider.System, SystemRandom.Instance, cancellation);

    private static async Task<GatewayHost> StartAsync(GatewayOptions options, Func<ILoggerFactory, Task<IRelay>> open, CancellationToken cancellation)
    {
        // Before anything is made: a refusal for want of a certificate leaves no directory behind.
        var certificate = Transport.Certificate(options);
        OtrKernel.WarmUp();
        var telemetry = TelemetryExport.Start();
        var loggers = LoggerFactory.Create(logging => Logs.Configure(logging, options, telemetry));
        if (options.CertificateFile is { } pem && PrivateFile.IsOpenToEverybody(options.CertificateKeyFile ?? pem)) loggers.CreateLogger("Relay.Gateway").KeyIsOpen(options.CertificateKeyFile ?? pem);
        IRelay? relay = null;
        IApiKeyStore? keys = null;
        WebApplication? app = null;
        try
        {
            relay = await open(loggers);
            keys = relay.Documents is { } documents
                ? await SharedApiKeys.OpenAsync(documents, options.DataDirectory, TimeProvider.System, loggers.CreateLogger("Relay.Gateway"), cancellation)
                : ApiKeyFile.Open(options.DataDirectory);
            bool madeAdminKey = await AdminKey.EnsureAsync(options.DataDirectory, options.AdminKeyFile, keys, SystemRandom.Instance, TimeProvider.System, cancellation);
            app = Build(options, relay, keys, loggers, certificate);
            await app.StartAsync(cancellation);
            app.Services.GetRequiredService<Readiness>().Open();
            return new GatewayHost(options, app, relay, keys, loggers, telemetry, madeAdminKey);
        }
        catch (Exception e)
        {
            if (app is not null) await app.DisposeAsync();
            if (keys is IAsyncDisposable following) await following.DisposeAsync();
            if (relay is not null) await relay.DisposeAsync();
            loggers.Dispose();
            telemetry.Dispose();
            // Kestrel's way to say that the port is taken.
            if (e is IOException && app is not null) throw new RelayStartException($"Relay cannot listen: {e.Message} Choose another address with --listen{(options.HealthListen is null ? "" : " or --health-listen")}; port 0 takes a free one.", e);
            if (e is StoreException) throw new RelayStartException($"The API keys cannot be written: {e.Message}", e);
            throw;
        }
    }

    private static WebApplication Build(GatewayOptions options, IRelay relay, IApiKeyStore keys, ILoggerFactory loggers, X509Certificate2? certificate)
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

    private static void AddServices(IServiceCollection services, GatewayOptions options, IRelay relay, IApiKeyStore keys)
    {
        services.AddSingleton<IHostLifetime, NoSignals>();
        services.AddSingleton(options);
        services.AddSingleton(relay);
        services.AddSingleton(keys);
        services.AddSingleton<IRandomSource>(SystemRandom.Instance);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(new GatewayClock(TimeProvider.System));
        services.AddSingleton<GatewayMetrics>();
        services.AddSingleton(new WireTakeover(relay.Documents, TimeProvider.System));
        services.AddSingleton<Readiness>();
        services.AddGrpcHealthChecks(Readiness.MapServices).AddCheck<Readiness>(Readiness.CheckName);
        services.AddGrpcReflection();
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = GatewayLimits.MaxReceiveMessageBytes;
            grpc.EnableDetailedErrors = false;
            grpc.Interceptors.Add<ErrorInterceptor>();
            grpc.Interceptors.Add<AuthInterceptor>();
            grpc.Interceptors.Add<DrainInterceptor>();
        });
    }

    private static void MapServices(WebApplication app)
    {
        app.CountCallFaults();
        PlainHealth.Map(app);
        app.CloseWhenDraining();
        app.MapGrpcService<EndpointApi>();
        app.MapGrpcService<ConversationApi>();
        app.MapGrpcService<MessageApi>();
        app.MapGrpcService<EventApi>();
        app.MapGrpcService<BridgeApi>();
        app.MapGrpcService<AdminApi>();
        app.MapGrpcHealthChecksService();
        app.MapGrpcReflectionService();
    }

    /// <summary>
    /// Says that it is not ready, waits for load balancers to notice, takes no new work, tells the streams to reconnect
    /// elsewhere, finishes and commits what is in flight, and stops listening. Once.
    /// </summary>
    /// <returns>False if it took longer than it may: what is left is safe, and done again elsewhere.</returns>
    public Task<bool> DrainAsync(CancellationToken cancellation) => _drained ??= DrainOnceAsync(cancellation);

    private async Task<bool> DrainOnceAsync(CancellationToken cancellation)
    {
        _app.Services.GetRequiredService<Readiness>().Close();
        _log.NotReady(_options.DrainDelay);
        await Task.Delay(_options.DrainDelay, cancellation);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(_options.DrainTimeout);
        bool inTime = true;
        try
        {
            await _relay.DrainAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            inTime = false;
            _log.DrainTooLong(_options.DrainTimeout);
        }
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        stop.CancelAfter(s_stopTimeout);
        await _app.StopAsync(stop.Token);
        return inTime;
    }

    /// <summary>Stops at once, if <see cref="DrainAsync"/> has not been called.</summary>
    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        if (_drained is null) await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
        if (_keys is IAsyncDisposable following) await following.DisposeAsync();
        var closed = _relay.DisposeAsync().AsTask();
        // A drain that did not end in its time does not end here either, and the process is about to go.
        if (_drained is { IsCompletedSuccessfully: true, Result: false }) await Task.WhenAny(closed, Task.Delay(s_stopTimeout));
        else await closed;
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
