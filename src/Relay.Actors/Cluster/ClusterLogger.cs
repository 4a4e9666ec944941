using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Dispatch;
using Akka.Event;
using Microsoft.Extensions.Logging;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Relay.Actors.Cluster;

/// <summary>Gives an actor system's logger the process's own log.</summary>
internal sealed class ClusterLoggerSetup(ILogger log, TimeProvider time) : Setup
{
    public ILogger Log => log;

    public TimeProvider Time => time;
}

/// <summary>
/// Suppresses the lines that Akka writes to standard output while its logger starts and stops, where they would break the
/// format of the process's log.
/// </summary>
internal sealed class SilentLogger : MinimalLogger
{
    protected override void Log(object message)
    {
        // Faults at the start are exceptions, and those at the stop have no consequence.
    }
}

/// <summary>
/// Writes Akka's log lines to the process's log. Lines of remoting about connections are limited per minute and the rest is
/// counted, so that neither a port scan nor a node that others refuse floods the log.
/// </summary>
internal sealed class ClusterLogger : UntypedActor, IRequiresMessageQueue<ILoggerMessageQueueSemantics>
{
    private const string Remoting = "Akka.Remote";

    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private long _windowBegan;
    private int _kept, _leftOut;

    /// <summary>Made by Akka.</summary>
    public ClusterLogger()
    {
        var setup = Context.System.Settings.Setup.Get<ClusterLoggerSetup>();
        if (!setup.HasValue) throw new InvalidOperationException($"The actor system was made without a {nameof(ClusterLoggerSetup)}.");
        (_log, _time) = (setup.Value.Log, setup.Value.Time);
        _windowBegan = _time.GetTimestamp();
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case InitializeLogger:
                Sender.Tell(new LoggerInitialized());
                break;
            case LogEvent line when LevelOf(line) is var level && _log.IsEnabled(level) && IsKept(line):
                // The type of a transport's fault says more than its stack.
                var (cause, name) = IsOfRemoting(line) ? (null, Names(line.Cause)) : (line.Cause, "");
                ClusterLog.FromAkka(_log, level, line.LogSource, line.Message?.ToString() ?? "", name, cause);
                break;
        }
    }

    private bool IsKept(LogEvent line)
    {
        if (!IsOfRemoting(line)) return true;
        if (_time.GetElapsedTime(_windowBegan) >= RelayLimits.TransportLogWindow)
        {
            if (_leftOut > 0) ClusterLog.TransportLinesLeftOut(_log, _leftOut);
            (_windowBegan, _kept, _leftOut) = (_time.GetTimestamp(), 0, 0);
        }
        if (_kept++ < RelayLimits.MaxTransportLogLines) return true;
        _leftOut++;
        return false;
    }

    // Transports log under their own types, endpoints under their actors' paths.
    private static bool IsOfRemoting(LogEvent line)
        => line.LogClass?.Namespace?.StartsWith(Remoting, StringComparison.Ordinal) == true
            || line.LogSource is { } source && (source.Contains(Remoting, StringComparison.Ordinal)
                || source.Contains("/system/endpointManager", StringComparison.Ordinal)
                || source.Contains("/system/transports", StringComparison.Ordinal)
                || source.Contains("remoting", StringComparison.OrdinalIgnoreCase));

    private static string Names(Exception? e) => e is null ? "" : $" [{e.GetType().Name}: {e.Message}]{Names(e.InnerException)}";

    private static LogLevel LevelOf(LogEvent line) => line.LogLevel() switch
    {
        Akka.Event.LogLevel.DebugLevel => LogLevel.Debug,
        Akka.Event.LogLevel.InfoLevel => LogLevel.Information,
        Akka.Event.LogLevel.WarningLevel => LogLevel.Warning,
        _ => LogLevel.Error,
    };
}
