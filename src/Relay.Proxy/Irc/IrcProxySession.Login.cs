namespace Relay.Proxy.Irc;

// What the client has negotiated before it was let in goes on at the network.
internal sealed partial class IrcProxySession
{
    /// <summary>What the network has is known: it is asked for what the client was granted, and logged in to.</summary>
    private void GoOn(bool isKnown)
    {
        var early = _early!;
        var waiting = early.Complete(isKnown);
        if (!early.Has(Capabilities.Sasl)) _sasl.Offered(null);
        if (early.Lacking is { Length: > 0 } lacking) AddToClient(Capabilities.Line(_nicks.Own, "DEL", lacking));
        if (early.Granted is { Length: > 0 } granted)
        {
            early.AwaitsGrant = true;
            AddToServer($"CAP REQ :{granted}");
        }
        if (_sasl.HasAccount)
        {
            if (!_sasl.Resume())
            {
                Leave("the network offers no login by SASL that the proxy has");
                return;
            }
            _logsIn = true;
            Carry();
        }
        else if (early.HasEnded && isKnown) AddToServer("CAP END");
        foreach (var line in waiting) Handle(line);
    }

    /// <summary>
    /// The login with the account that the client gave before it was let in. The client believes that it has succeeded: otherwise it must not go on.
    /// </summary>
    /// <returns>True if the line was about it; the client does not get it.</returns>
    private bool FromServerAtLogin(IrcLine line)
    {
        switch (line.Command)
        {
            case "900" or "901" or "908":
                return true;
            case "902" or "903" or "904" or "905" or "906" or "907":
                _sasl.Result(line.Command);
                Carry();
                if (_sasl.IsUnproven || _sasl.HasAccount) return true;
                _logsIn = false;
                if (line.Command != "903") Leave("the network refuses the login by SASL: check the account's name and password in your program");
                else if (_early!.HasEnded) AddToServer("CAP END");
                return true;
            case "001":
            case "421" when line.Param(1) == "AUTHENTICATE":
                Leave("the network has no login by SASL, or did not wait for it");
                return true;
            default:
                return false;
        }
    }

    /// <summary>Leaves the network, and tells the client why.</summary>
    private void Leave(string reason)
    {
        AddToClient(ClientLogin.Error(reason + "."));
        _toClient.End();
    }
}
