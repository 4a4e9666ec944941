namespace Relay.Cli.Doctor;

/// <summary>How a check ended.</summary>
internal enum Verdict
{
    /// <summary>As it should be.</summary>
    Ok,
    /// <summary>It works, but should be looked at.</summary>
    Warning,
    /// <summary>It does not work.</summary>
    Problem,
    /// <summary>It could not be looked at.</summary>
    Skipped,
}

/// <summary>One thing that the doctor looked at.</summary>
/// <param name="ToDo">What to do about it; null if nothing.</param>
internal sealed record Finding(string Check, Verdict Verdict, string Detail, string? ToDo = null);
