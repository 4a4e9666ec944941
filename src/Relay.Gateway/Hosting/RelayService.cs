using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Otr.Core;
using Relay.Actors;
using Relay.Gateway.Auth;

namespace Relay.Gateway.Hosting;

/// <summary>Opens the actors. A test puts others in their place.</summary>
public delegate Task<IRelay> OpenRelay(RelayOptions options, ILoggerFactory loggers, CancellationToken cancellation);

/// <summary>Opens the actors and the API keys before the server listens, and closes them after it has stopped.</summary>
internal sealed class RelayService(
    OpenRelay open, IOptions<RelayOptions> options, IRandomSource random, TimeProvider time, ILoggerFactory loggers, ServerInfo info) : IHostedLifecycleService
{
    private static readonly TimeSpan s_closeTimeout = TimeSpan.FromSeconds(5);
    private IRelay? _relay;
    private IApiKeyStore? _keys;

    /// <exception cref="InvalidOperationException">The server has not started.</exception>
    public IRelay Relay => _relay ?? throw NotStarted();

    /// <exception cref="InvalidOperationException">The server has not started.</exception>
    public IApiKeyStore Keys => _keys ?? throw NotStarted();

    public bool IsOpen => _keys is not null;

    /// <summary>A node of a cluster, or the embedded actors: SQLite in the data directory, shards in this process.</summary>
    public static Task<IRelay> OpenAsync(RelayOptions options, ILoggerFactory loggers, CancellationToken cancellation) => options.Database is { } database
        ? ClusterRelay.OpenAsync(
            new ClusterRelayOptions(database, options.Cluster.Broker!)
            {
                DataDirectory = options.DataDirectory,
                SealingKeyFile = options.SealingKeyFile,
                NodeName = options.Cluster.Host,
                Shards = options.Conversations.Shards,
                BrokerCertificateAuthorityFile = options.Cluster.BrokerCertificateAuthorityFile,
            }, loggers, TimeProvider.System, SystemRandom.Instance, cancellation)
        : EmbeddedRelay.OpenAsync(
            new EmbeddedRelayOptions(options.DataDirectory) { Shards = options.Conversations.Shards, SealingKeyFile = options.SealingKeyFile },
            loggers, TimeProvider.System, SystemRandom.Instance, cancellation);

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        OtrKernel.WarmUp();
        var settings = options.Value;
        _relay = await open(settings, loggers, cancellationToken);
        IApiKeyStore keys = _relay.Documents is { } documents
            ? await SharedApiKeys.OpenAsync(documents, settings.DataDirectory, time, loggers.CreateLogger("Relay.Gateway"), cancellationToken)
            : ApiKeyFile.Open(settings.DataDirectory);
        _keys = keys;
        info.MadeAdminKey = await AdminKey.EnsureAsync(settings.DataDirectory, settings.AdminKeyFile, keys, random, time, cancellationToken);
    }

    /// <summary>The server does not listen any more.</summary>
    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        var closed = CloseAsync();
        // A drain that did not end in its time does not end here either, and the process is about to go.
        if (info.DrainedInTime) await closed;
        else await Task.WhenAny(closed, Task.Delay(s_closeTimeout, CancellationToken.None));
    }

    /// <summary>Closes what a start that failed has opened, too.</summary>
    public async Task CloseAsync()
    {
        if (_keys is IAsyncDisposable following) await following.DisposeAsync();
        if (_relay is not null) await _relay.DisposeAsync();
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static InvalidOperationException NotStarted() => new("The actors are open once the host has started.");
}
