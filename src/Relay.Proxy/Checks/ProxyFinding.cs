namespace Relay.Proxy.Checks;

/// <summary>The result of a check.</summary>
public enum ProxyVerdict
{
    Ok,
    /// <summary>The proxy works, but the person should look at this.</summary>
    Warning,
    /// <summary>The proxy does not work until this is corrected.</summary>
    Problem,
    /// <summary>The check could not be made.</summary>
    Skipped,
}

/// <summary>What a check of a proxy found.</summary>
/// <param name="Check">What was looked at, in a word or two.</param>
/// <param name="ToDo">What the person should do; null: nothing.</param>
public sealed record ProxyFinding(string Check, ProxyVerdict Verdict, string Detail, string? ToDo = null);
