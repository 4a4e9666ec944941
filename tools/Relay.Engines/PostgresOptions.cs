namespace Relay.Engines;

/// <summary>How a <see cref="PostgresServer"/> is run.</summary>
/// <param name="Directory">Its own; made if absent. Holds the data, the socket and nothing of anybody else's: as root it is given to the user postgres.</param>
public sealed record PostgresOptions(string Directory)
{
    /// <summary>The address to listen on: loopback, or one of a network namespace that <see cref="CommandPrefix"/> enters.</summary>
    public string ListenAddress { get; init; } = "127.0.0.1";

    /// <summary>Networks in CIDR form beside <see cref="ListenAddress"/> that may log in, with the password as everybody.</summary>
    public IReadOnlyList<string> AllowedNetworks { get; init; } = [];

    /// <summary>Null: a free one is chosen, and kept when the server is started again.</summary>
    public int? Port { get; init; }

    /// <summary>Put before every command, as `ip netns exec NAME`. It must replace itself by the command (exec).</summary>
    public IReadOnlyList<string> CommandPrefix { get; init; } = [];

    /// <summary>Settings of postgresql.conf over the defaults, as `max_connections`. `fsync` stays on unless it is named here.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>For which a command or a start may last before it has failed.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);
}
