using Akka.Actor;
using Akka.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Relay.Actors.Hosting;

/// <summary>The actor system of one relay, with the life of that relay: a process can run several beside each other.</summary>
internal sealed class ActorHost : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly Task<ActorSystem> _making;
    private IHostedService[] _hosted = [];

    private ActorHost(ServiceProvider services)
    {
        _services = services;
        // Making a system takes a while, in which the caller can open its store.
        _making = Task.Run(services.GetRequiredService<ActorSystem>);
    }

    public ActorRegistry Registry => _services.GetRequiredService<ActorRegistry>();

    /// <param name="configure">Adds settings; actors are added by <see cref="StartAsync"/>.</param>
    public static ActorHost Create(ILoggerFactory loggers, Action<AkkaConfigurationBuilder> configure)
    {
        var services = new ServiceCollection();
        services.AddSingleton(loggers);
        services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        services.AddSingleton<IHostApplicationLifetime, NoApplication>();
        services.AddAkka(ActorsExtensions.SystemName, (builder, _) => configure(builder.WithRelaySettings()));
        return new ActorHost(services.BuildServiceProvider());
    }

    /// <summary>Starts the actors.</summary>
    public async Task<ActorSystem> StartAsync(Action<AkkaConfigurationBuilder> configure, CancellationToken cancellation)
    {
        var system = await _making.WaitAsync(cancellation).ConfigureAwait(false);
        configure(_services.GetRequiredService<AkkaConfigurationBuilder>());
        _hosted = [.. _services.GetServices<IHostedService>()];
        foreach (var hosted in _hosted) await hosted.StartAsync(cancellation).ConfigureAwait(false);
        return system;
    }

    /// <summary>Ends the actors by Akka's coordinated shutdown.</summary>
    public async ValueTask DisposeAsync()
    {
        await ((Task)_making).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var hosted in _hosted.Reverse()) await hosted.StopAsync(CancellationToken.None).ConfigureAwait(false);
        if (_making.IsCompletedSuccessfully) await _making.Result.Terminate().ConfigureAwait(false);
        await _services.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Akka's hosting ends the application when its system ends by itself; here the relay's owner decides.</summary>
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
