namespace Relay.Client;

/// <summary>Exponential backoff with jitter, so that many clients do not reconnect at the same time.</summary>
internal sealed class Backoff(RelayClientOptions options)
{
    private int _failures;

    public void Reset() => _failures = 0;

    /// <summary>Returns the wait before the next attempt.</summary>
    /// <param name="atLeast">The retry delay that the server asked for, if any.</param>
    public TimeSpan Next(TimeSpan? atLeast = null)
    {
        var ceiling = Math.Min(options.MaxBackoff.TotalMilliseconds,
            options.FirstBackoff.TotalMilliseconds * Math.Pow(2, Math.Min(_failures++, 20)));
        var wait = TimeSpan.FromMilliseconds(ceiling * (0.5 + Random.Shared.NextDouble() / 2));
        return atLeast > wait ? atLeast.Value : wait;
    }
}
