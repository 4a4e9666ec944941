using System.Reflection;

namespace Relay.Gateway.Hosting;

/// <summary>Facts about the running server.</summary>
public sealed class ServerInfo(TimeProvider time)
{
    /// <summary>The exit code (EX_TEMPFAIL) that asks the process's supervisor to restart it.</summary>
    public const int RestartExitCode = 75;

    /// <summary>The product's version.</summary>
    public static string Version { get; } =
        typeof(ServerInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    /// <summary>The time at which this server started.</summary>
    public DateTimeOffset Started { get; } = time.GetUtcNow();

    /// <summary>True if this start created the first admin key.</summary>
    public bool MadeAdminKey { get; internal set; }

    /// <summary>
    /// False if the drain timed out. Work that was not committed then has no effect, and its client retries it on another node or
    /// after the next start.
    /// </summary>
    public bool DrainedInTime { get; internal set; } = true;
}
