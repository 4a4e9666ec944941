namespace Relay.Storage;

/// <summary>The outcome of one check of the resources that the nodes of a cluster share.</summary>
public enum ClusterVerdict
{
    /// <summary>The check found nothing wrong.</summary>
    Ok,
    /// <summary>The cluster works, but an operator should look at this.</summary>
    Warning,
    /// <summary>The cluster does not work until this is corrected.</summary>
    Problem,
}

/// <param name="ToDo">The action that an operator should take; null if there is none.</param>
public sealed record ClusterFinding(string Check, ClusterVerdict Verdict, string Detail, string? ToDo = null);
