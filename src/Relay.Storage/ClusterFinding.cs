namespace Relay.Storage;

/// <summary>The outcome of one check of what the nodes of a cluster share.</summary>
public enum ClusterVerdict
{
    /// <summary>As it should be.</summary>
    Ok,
    /// <summary>It works, but should be looked at.</summary>
    Warning,
    /// <summary>It does not work.</summary>
    Problem,
}

/// <param name="ToDo">What to do about it; null if nothing.</param>
public sealed record ClusterFinding(string Check, ClusterVerdict Verdict, string Detail, string? ToDo = null);
