namespace Relay.Client;

/// <summary>
/// Goes on to the next server at a failure, at once, and waits only when every server has failed in turn. What a server
/// asked one to wait is meant for that server: at the end of a round the shortest of them counts.
/// </summary>
internal sealed class Rounds(ServerRing servers, RelayClientOptions options)
{
    private readonly Backoff _backoff = new(options);
    private int _failed;
    private TimeSpan? _askedToWait;

    /// <summary>Something went well.</summary>
    public void Reset()
    {
        _backoff.Reset();
        _failed = 0;
        _askedToWait = null;
    }

    /// <summary>The server failed, or is about to go.</summary>
    /// <returns>How long to wait before the next attempt; null: not at all.</returns>
    public TimeSpan? Fail(int server, TimeSpan? askedToWait)
    {
        servers.MoveOn(server);
        if (askedToWait is { } wait && (_askedToWait is null || wait < _askedToWait)) _askedToWait = wait;
        return ++_failed < servers.Count ? null : EndRound();
    }

    /// <summary>The server is well, and cannot do it now: the others would not do it either.</summary>
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
