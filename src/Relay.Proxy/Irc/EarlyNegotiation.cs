namespace Relay.Proxy.Irc;

/// <summary>
/// The negotiation of capabilities and the login of a client that has not shown the proxy's password yet. Some programs (irssi) go through both
/// before they send it; nothing is done at the network meanwhile. So the proxy grants what a client may ask for on any network, and takes the
/// account that the client logs in with; once the client is let in, it asks the network for both. It does no I/O.
/// </summary>
/// <param name="offersLogin">A login by SASL is offered.</param>
internal sealed class EarlyNegotiation(bool offersLogin)
{
    private readonly HashSet<string> _asked = [], _offered = [];
    private readonly List<RawLine> _waiting = [];

    /// <summary>The client's login; it goes on at the network.</summary>
    public SaslLogin Login { get; } = new(offersLogin);

    /// <summary>The client has ended its negotiation.</summary>
    public bool HasEnded { get; set; }

    /// <summary>The network has not said what it has.</summary>
    public bool IsWaiting { get; private set; } = true;

    /// <summary>The network knows the negotiation; true also while that is not known.</summary>
    public bool IsKnown { get; private set; } = true;

    /// <summary>The network is asked for what the client was granted, and has not answered.</summary>
    public bool AwaitsGrant { get; set; }

    /// <summary>Answers CAP and AUTHENTICATE of a client that is not let in yet.</summary>
    public IReadOnlyList<string> Answer(IrcLine line)
    {
        if (line.Command == "AUTHENTICATE")
        {
            Login.FromClient(line.Param(0));
            return Login.HasAccount ? [$":{ServiceNick.Host} 903 * :The proxy logs in with this account"] : [.. Login.ToClient];
        }
        var names = string.Join(' ', line.Params.Skip(1));
        switch (line.Param(0).ToUpperInvariant())
        {
            case "LS":
                return [Capabilities.Line("*", "LS", Capabilities.Possible(Login.Offer))];
            case "LIST":
                return [Capabilities.Line("*", "LIST", string.Join(' ', _asked))];
            case "REQ" when Capabilities.MayAsk(names, Login.Offer is not null):
                foreach (var name in names.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                {
                    if (name.StartsWith('-')) _asked.Remove(Capabilities.Names(name).Single());
                    else _asked.Add(Capabilities.Names(name).Single());
                }
                return [Capabilities.Line("*", "ACK", names)];
            case "REQ":
                return [Capabilities.Line("*", "NAK", names)];
            case "END":
                HasEnded = true;
                return [];
            default:
                return [];
        }
    }

    /// <summary>Keeps a line about capabilities or the login until the network's list is there; false if there are too many.</summary>
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

    /// <summary>The network's list is complete, or it has none.</summary>
    /// <param name="isKnown">False: the network does not know the negotiation.</param>
    /// <returns>The lines that were kept, in order.</returns>
    public IReadOnlyList<RawLine> Complete(bool isKnown)
    {
        (IsWaiting, IsKnown) = (false, isKnown);
        RawLine[] waiting = [.. _waiting];
        _waiting.Clear();
        return waiting;
    }

    public bool Has(string capability) => _offered.Contains(capability);

    /// <summary>What the client was granted, and the network has.</summary>
    public string Granted => string.Join(' ', _asked.Where(Has));

    /// <summary>What the client was granted, and the network does not have.</summary>
    public string Lacking => string.Join(' ', _asked.Where(c => !Has(c)));

    /// <summary>The part of a request that the network can grant.</summary>
    public string Available(string request) =>
        string.Join(' ', request.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(c => Has(Capabilities.Names(c).Single())));
}
