using Akka.Actor;
using Akka.Configuration;
using Akka.Hosting;
using Relay.Actors.Conversations;

namespace Relay.Actors.Hosting;

/// <summary>Relay's actors as Akka.Hosting has them.</summary>
internal static class ActorsExtensions
{
    public const string SystemName = "relay";

    private const string Settings = "Relay.Actors.Hosting.akka.hocon";

    /// <summary>The settings of every node; what is added after them wins.</summary>
    public static AkkaConfigurationBuilder WithRelaySettings(this AkkaConfigurationBuilder builder) => builder
        .AddHocon(ConfigurationFactory.FromResource(Settings, typeof(ActorsExtensions).Assembly), HoconAddMode.Append)
        .ConfigureLoggers(loggers =>
        {
            loggers.LogLevel = Akka.Event.LogLevel.WarningLevel;
            loggers.ClearLoggers();
            loggers.AddLoggerFactory();
        });

    /// <summary>The region of a single process, registered under <see cref="ConversationActor"/> as a cluster's region is.</summary>
    public static AkkaConfigurationBuilder WithRelayConversations(
        this AkkaConfigurationBuilder builder, ConversationContext context, TimeSpan passivateAfter)
        => builder.WithActors((system, registry) =>
            registry.Register<ConversationActor>(system.ActorOf(LocalConversationRegion.Props(context, passivateAfter), "conversation")));
}
