namespace Relay.Client;

/// <summary>
/// Fails over to the next server without a wait, and backs off only after every server has failed in turn (a round). A retry delay applies
/// to the server that asked for it, so the shortest one counts at the end of a round.
/// </summary>
internal sealed class Rounds(ServerRing servers, RelayClientOptions options)
{
    private readonly Backoff _backoff = new(options);
    private int _failed;
    private TimeSpan? _askedToWait;

    /// <summary>Restarts the backoff after a success.</summary>
    public void Reset()
    {
        _backoff.Reset();
        _failed = 0;
        _askedToWait = null;
    }

    /// <summary>Moves on from a server that failed or drains.</summary>
    /// <returns>The wait before the next attempt; null for none.</returns>
    public TimeSpan? Fail(int server, TimeSpan? askedToWait)
    {
        servers.MoveOn(server);
        if (askedToWait is { } wait && (_askedToWait is null || wait < _askedToWait)) _askedToWait = wait;
        return ++_failed < servers.Count ? null : EndRound();
    }

    /// <summary>Backs off without a failover: the server works but cannot accept the request now, and neither would the others.</summary>
    public TimeSpan Stay(TimeSpan? askedToWait)
    {
        _askedToWait = askedToWait;
        return EndRound();
    }

    private TimeSpan EndRound()
    {
        var wait = _backoff.Next(_askedToWait);
        _failed = 0;
        _askedToWait = null;
        return wait;
    }
}
