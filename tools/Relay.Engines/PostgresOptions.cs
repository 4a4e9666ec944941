namespace Relay.Engines;

/// <summary>Options of a <see cref="PostgresServer"/>.</summary>
/// <param name="Directory">
/// A directory for this server only, created if missing, with the data and the socket. As root, its owner is changed to the user postgres.
/// </param>
public sealed record PostgresOptions(string Directory)
{
    /// <summary>The address to listen on: loopback, or one of a network namespace that <see cref="CommandPrefix"/> enters.</summary>
    public string ListenAddress { get; init; } = "127.0.0.1";

    /// <summary>Networks in CIDR form, besides <see cref="ListenAddress"/>, from which clients may log in with the password.</summary>
    public IReadOnlyList<string> AllowedNetworks { get; init; } = [];

    /// <summary>The port. Null: a free one is chosen, and kept when the server is restarted.</summary>
    public int? Port { get; init; }

    /// <summary>Words before every command, such as `ip netns exec NAME`. The prefix must replace itself by the command (exec).</summary>
    public IReadOnlyList<string> CommandPrefix { get; init; } = [];

    /// <summary>
    /// Settings of postgresql.conf that override the defaults, such as `max_connections`. `fsync` is on unless it is set here.
    /// </summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>Timeout of a command or a start.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);
}
