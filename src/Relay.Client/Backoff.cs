namespace Relay.Client;

/// <summary>How long to wait before the next attempt: doubling, with jitter, so that many clients do not come back at once.</summary>
internal sealed class Backoff(RelayClientOptions options)
{
    private int _failures;

    public void Reset() => _failures = 0;

    /// <param name="atLeast">What the server asked for.</param>
    public TimeSpan Next(TimeSpan? atLeast = null)
    {
        var ceiling = Math.Min(options.MaxBackoff.TotalMilliseconds, options.FirstBackoff.TotalMilliseconds * Math.Pow(2, Math.Min(_failures++, 20)));
        var wait = TimeSpan.FromMilliseconds(ceiling * (0.5 + Random.Shared.NextDouble() / 2));
        return atLeast > wait ? atLeast.Value : wait;
    }
}
