namespace Relay.Proxy.Irc;

/// <summary>
/// The capabilities of a client that was told what it may ask for before the network was asked what it has. The client's requests wait for the
/// network's list; of what the network does not have, nothing is asked. It does no I/O.
/// </summary>
internal sealed class EarlyCapabilities
{
    private readonly HashSet<string> _offered = [];
    private readonly List<RawLine> _waiting = [];

    /// <summary>The network has not said what it has.</summary>
    public bool IsWaiting { get; private set; } = true;

    /// <summary>The network knows the negotiation of capabilities; true also while that is not known.</summary>
    public bool IsKnown { get; private set; } = true;

    /// <summary>Keeps a line of the client about capabilities or its login; false if there are too many.</summary>
    public bool Hold(RawLine line)
    {
        if (_waiting.Count == ProxyLimits.IrcLoginLines) return false;
        _waiting.Add(line);
        return true;
    }

    /// <summary>The network offers these.</summary>
    public void Offered(string list)
    {
        if (_offered.Count < ProxyLimits.IrcCapabilities) _offered.UnionWith(Capabilities.Names(list));
    }

    /// <summary>The network's list is complete, or it has none; the client's lines go on.</summary>
    /// <param name="isKnown">False: the network does not know the negotiation.</param>
    public IReadOnlyList<RawLine> Complete(bool isKnown)
    {
        (IsWaiting, IsKnown) = (false, isKnown);
        RawLine[] waiting = [.. _waiting];
        _waiting.Clear();
        return waiting;
    }

    /// <summary>The part of a request that the network can grant.</summary>
    public string Available(string request) => string.Join(' ',
        request.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(c => _offered.Contains(Capabilities.Names(c).First())));
}
