using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Relay.Client;

/// <summary>Adds bots to a host.</summary>
public static class RelayBotExtensions
{
    /// <summary>
    /// Adds a bot for an endpoint as a hosted service, with a health check <c>relay-bot-{endpoint}</c>. It reads a named subscription of
    /// the endpoint, reconnects, and stops when its handlers are done. Its <see cref="Bot"/> is a keyed service, under
    /// <paramref name="endpoint"/>, for requests that no event causes. A permanent refusal, because of a revoked key for example, is logged
    /// and ends the service, and with it the host, unless the host says otherwise.
    /// </summary>
    /// <param name="endpoint"><c>endpoints/{endpoint}</c> or <c>{endpoint}</c></param>
    public static RelayBotBuilder AddRelayBot(this IServiceCollection services, string endpoint, Action<RelayBotOptions>? configure = null)
    {
        var options = services.AddOptions<RelayBotOptions>(endpoint)
            .Validate(o => o.MaxConcurrency is > 0 and <= MaxConcurrency,
                $"{nameof(RelayBotOptions.MaxConcurrency)} must be 1 to {MaxConcurrency}.");
        if (configure is not null) options.Configure(configure);
        var builder = new RelayBotBuilder(services, endpoint);
        services.AddKeyedSingleton(endpoint, static (provider, key) =>
        {
            var options = OptionsOf(provider, (string)key!);
            return RelayClient.FromOptions(options.Servers, options.KeyFile, options.Client);
        });
        services.AddKeyedSingleton(endpoint, static (provider, key) =>
            provider.GetRequiredKeyedService<RelayClient>(key).Bot((string)key!));
        services.AddKeyedSingleton(endpoint, (provider, _) =>
        {
            var handler = builder.Handler;
            return new RelayBotService(endpoint, provider.GetRequiredKeyedService<RelayClient>(endpoint), OptionsOf(provider, endpoint), handler,
                provider.GetRequiredService<IServiceScopeFactory>(),
                provider.GetService<ILogger<RelayBotService>>() ?? NullLogger<RelayBotService>.Instance);
        });
        // AddHostedService would add one service of this type, and no second bot.
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredKeyedService<RelayBotService>(endpoint));
        services.AddHealthChecks().Add(new HealthCheckRegistration("relay-bot-" + endpoint[(endpoint.LastIndexOf('/') + 1)..],
            provider => provider.GetRequiredKeyedService<RelayBotService>(endpoint), null, ["relay"]));
        return builder;
    }

    /// <summary>The most events that a bot may handle side by side: the most credit of a stream.</summary>
    private const int MaxConcurrency = Bot.MaxCredit;

    private static RelayBotOptions OptionsOf(IServiceProvider provider, string endpoint) =>
        provider.GetRequiredService<IOptionsMonitor<RelayBotOptions>>().Get(endpoint);
}

/// <summary>Completes a bot that <see cref="RelayBotExtensions.AddRelayBot"/> has added.</summary>
public sealed class RelayBotBuilder
{
    private readonly IServiceCollection _services;
    private readonly string _endpoint;
    private Type? _handler;

    internal RelayBotBuilder(IServiceCollection services, string endpoint) => (_services, _endpoint) = (services, endpoint);

    /// <summary>Sets the class that handles the bot's events. One is made for each event, in a scope of its own.</summary>
    /// <exception cref="InvalidOperationException">The bot has a handler already.</exception>
    public RelayBotBuilder AddHandler<T>() where T : BotHandler
    {
        if (_handler is not null)
            throw new InvalidOperationException($"The bot for {_endpoint} is handled by {_handler.Name}; it cannot have two handlers.");
        _handler = typeof(T);
        _services.AddScoped<T>();
        return this;
    }

    internal Type Handler => _handler
        ?? throw new InvalidOperationException($"Nothing handles the events of {_endpoint}: call AddHandler after AddRelayBot.");
}
