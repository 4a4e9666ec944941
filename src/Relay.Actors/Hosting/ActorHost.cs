using Akka.Actor;
using Akka.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Relay.Actors.Hosting;

/// <summary>The actor system of one relay. A process can run several of them.</summary>
internal sealed class ActorHost : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly Task<ActorSystem>? _early;
    private Action<AkkaConfigurationBuilder>? _configure;
    private ActorSystem? _system;
    private IHostedService[] _hosted = [];

    private ActorHost(ILoggerFactory loggers, bool isAlone)
    {
        var services = new ServiceCollection();
        services.AddSingleton(loggers);
        services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        services.AddSingleton<IHostApplicationLifetime, NoApplication>();
        services.AddAkka(ActorsExtensions.SystemName, (builder, _) =>
        {
            builder.WithRelaySettings();
            if (isAlone) builder.WithRelayLogging();
            _configure?.Invoke(builder);
        });
        _services = services.BuildServiceProvider();
        if (isAlone) _early = Task.Run(_services.GetRequiredService<ActorSystem>);
    }

    public ActorRegistry Registry => _services.GetRequiredService<ActorRegistry>();

    /// <summary>For a single process: the system is made in the background while the caller opens its store.</summary>
    public static ActorHost CreateAlone(ILoggerFactory loggers) => new(loggers, isAlone: true);

    /// <summary>For a node of a cluster: the system is made by <see cref="StartAsync"/>, with the settings that it is given.</summary>
    public static ActorHost CreateNode(ILoggerFactory loggers) => new(loggers, isAlone: false);

    /// <summary>Makes the system if that has not begun, and starts the actors.</summary>
    public async Task<ActorSystem> StartAsync(Action<AkkaConfigurationBuilder> configure, CancellationToken cancellation)
    {
        if (_early is not null)
        {
            _system = await _early.WaitAsync(cancellation).ConfigureAwait(false);
            configure(_services.GetRequiredService<AkkaConfigurationBuilder>());
        }
        else
        {
            _configure = configure;
            _system = await Task.Run(_services.GetRequiredService<ActorSystem>, cancellation).ConfigureAwait(false);
        }
        _hosted = [.. _services.GetServices<IHostedService>()];
        foreach (var hosted in _hosted) await hosted.StartAsync(cancellation).ConfigureAwait(false);
        return _system;
    }

    /// <summary>Ends the actors by Akka's coordinated shutdown.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_early is not null)
        {
            await ((Task)_early).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_early.IsCompletedSuccessfully) _system = await _early.ConfigureAwait(false);
        }
        foreach (var hosted in _hosted.Reverse()) await hosted.StopAsync(CancellationToken.None).ConfigureAwait(false);
        if (_system is not null) await _system.Terminate().ConfigureAwait(false);
        await _services.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Akka's hosting would stop the application when its system terminates; here the relay's owner decides.</summary>
    private sealed class NoApplication : IHostApplicationLifetime
    {
        public CancellationToken ApplicationStarted => CancellationToken.None;
        public CancellationToken ApplicationStopping => CancellationToken.None;
        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication()
        {
        }
    }
}
