namespace Relay.Cli.Doctor;

/// <summary>The result of a check.</summary>
internal enum Verdict
{
    /// <summary>The check found nothing wrong.</summary>
    Ok,
    /// <summary>The server works, but an operator should look at this.</summary>
    Warning,
    /// <summary>The server does not work until this is corrected.</summary>
    Problem,
    /// <summary>The check could not be made.</summary>
    Skipped,
}

/// <summary>The outcome of one check of <c>relay doctor</c>.</summary>
/// <param name="ToDo">The action that an operator should take; null if there is none.</param>
internal sealed record Finding(string Check, Verdict Verdict, string Detail, string? ToDo = null)
{
    /// <summary>The time before an expiry from which it is a warning.</summary>
    public static readonly TimeSpan Soon = TimeSpan.FromDays(14);
}
