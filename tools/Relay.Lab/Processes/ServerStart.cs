namespace Relay.Lab.Processes;

/// <summary>How a <see cref="ServerProcess"/> is started.</summary>
/// <param name="Listen">Address and port; port 0 takes a free one.</param>
/// <param name="LogFile">The server's standard error is appended here.</param>
public sealed record ServerStart(string DataDirectory, string Listen, string LogFile)
{
    /// <summary>Further arguments of <c>relay serve</c>.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Put before the command, as <c>ip netns exec NAME</c>. It must replace itself by the command (exec).</summary>
    public IReadOnlyList<string> CommandPrefix { get; init; } = [];
}
