using System.Reflection;

namespace Relay.Gateway.Hosting;

/// <summary>What a running server tells of itself.</summary>
public sealed class ServerInfo(TimeProvider time)
{
    /// <summary>The product's version.</summary>
    public static string Version { get; } =
        typeof(ServerInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    /// <summary>When this server started.</summary>
    public DateTimeOffset Started { get; } = time.GetUtcNow();

    /// <summary>True if this was the first start, and the admin key was made.</summary>
    public bool MadeAdminKey { get; internal set; }

    /// <summary>False if work in flight took longer than it may when the server drained: what is left is safe, and done again elsewhere.</summary>
    public bool DrainedInTime { get; internal set; } = true;
}
