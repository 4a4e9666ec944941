using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Otr.Core;
using Relay.Actors;
using Relay.Actors.Cluster;
using Relay.Gateway.Auth;

namespace Relay.Gateway.Hosting;

/// <summary>Opens the actors; tests replace it.</summary>
public delegate Task<IRelay> OpenRelay(RelayOptions options, ILoggerFactory loggers, CancellationToken cancellation);

/// <summary>Flushes the log and ends the process at once with an exit code; tests record the code instead.</summary>
public delegate void EndProcess(int exitCode);

/// <summary>Opens the actors and the API keys before the server listens, and closes them after it has stopped.</summary>
internal sealed class RelayService(
    OpenRelay open, EndProcess end, IOptions<RelayOptions> options, IRandomSource random, TimeProvider time, ILoggerFactory loggers,
    ServerInfo info) : IHostedLifecycleService
{
    private static readonly TimeSpan s_closeTimeout = TimeSpan.FromSeconds(5);
    private IRelay? _relay;
    private IApiKeyStore? _keys;

    /// <exception cref="InvalidOperationException">The server has not started.</exception>
    public IRelay Relay => _relay ?? throw NotStarted();

    /// <exception cref="InvalidOperationException">The server has not started.</exception>
    public IApiKeyStore Keys => _keys ?? throw NotStarted();

    public bool IsOpen => _keys is not null;

    /// <summary>Opens a node of a cluster if a database is configured, else a single process with SQLite in the data directory.</summary>
    public static Task<IRelay> OpenAsync(RelayOptions options, ILoggerFactory loggers, CancellationToken cancellation)
    {
        var (time, random) = (TimeProvider.System, SystemRandom.Instance);
        if (options.Database is null)
        {
            var embedded = new EmbeddedRelayOptions(options.DataDirectory) 
            {
                SealingKeyFile = options.SealingKeyFile, Epochs = options.Epochs, Files = options.Files,
            };
            return EmbeddedRelay.OpenAsync(embedded, loggers, time, random, cancellation);
        }
        return ClusterRelay.OpenAsync(options.ToClusterRelay(), loggers, time, random, cancellation);
    }

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        OtrKernel.WarmUp();
        var settings = options.Value;
        _relay = await open(settings, loggers, cancellationToken);
        _ = EndWhenLostAsync(_relay);
        IApiKeyStore keys = _relay.Documents is { } documents
            ? await SharedApiKeys.OpenAsync(
                documents, settings.DataDirectory, time, loggers.CreateLogger("Relay.Gateway"), cancellationToken)
            : ApiKeyFile.Open(settings.DataDirectory);
        _keys = keys;
        info.MadeAdminKey = await AdminKey.EnsureAsync(
            settings.DataDirectory, settings.AdminKeyFile, keys, random, time, cancellationToken);
    }

    /// <summary>Closes the actors after the server has stopped listening.</summary>
    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        var closed = CloseAsync();
        // A drain that exceeded its timeout may never end, and must not keep the process from exiting.
        if (info.DrainedInTime) await closed;
        else await Task.WhenAny(closed, Task.Delay(s_closeTimeout, CancellationToken.None));
    }

    /// <summary>
    /// Ends the process when the cluster has removed this node: its shards belong to other nodes, so there is nothing to drain.
    /// </summary>
    private async Task EndWhenLostAsync(IRelay relay)
    {
        await relay.Lost;
        end(ServerInfo.RestartExitCode);
    }

    /// <summary>Closes the keys and the actors, also after a start that failed halfway.</summary>
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
