using Akka.Actor;
using Akka.Configuration;
using Akka.Hosting;

namespace Relay.Actors.Hosting;

/// <summary>Relay's actors as Akka.Hosting has them.</summary>
internal static class ActorsExtensions
{
    public const string SystemName = "relay";

    private const string Settings = "Relay.Actors.Hosting.akka.hocon";

    /// <summary>The settings of every process; a node of a cluster puts its own before them.</summary>
    public static AkkaConfigurationBuilder WithRelaySettings(this AkkaConfigurationBuilder builder)
        => builder.AddHocon(ConfigurationFactory.FromResource(Settings, typeof(ActorsExtensions).Assembly), HoconAddMode.Append);

    /// <summary>Akka's log lines into the process's log. A node of a cluster has a logger of its own, which bounds them.</summary>
    public static AkkaConfigurationBuilder WithRelayLogging(this AkkaConfigurationBuilder builder) => builder.ConfigureLoggers(loggers =>
    {
        loggers.LogLevel = Akka.Event.LogLevel.WarningLevel;
        loggers.ClearLoggers();
        loggers.AddLoggerFactory();
    });
}
