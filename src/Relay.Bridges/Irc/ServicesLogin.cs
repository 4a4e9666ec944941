namespace Relay.Bridges.Irc;

/// <summary>
/// The login at NickServ, for networks without SASL. The password goes to the configured nick only, and only after the server itself has
/// said that a service has it: on a network whose services are down anybody may have the nick. It does no I/O.
/// </summary>
internal sealed class ServicesLogin(IrcOptions options, CaseMapping mapping)
{
    private enum State
    {
        Asking,
        Identifying,
        Done,
    }

    private State _state = State.Asking;
    private bool _isService;

    /// <summary>The login is confirmed.</summary>
    public bool IsDone => _state == State.Done;

    /// <summary>Why the connection must end; null while the login goes on.</summary>
    public ConnectionEnd? End { get; private set; }

    private string Nick => options.ServicesNick;

    public string Begin() => IrcLine.Format("WHOIS", Nick);

    /// <summary>Handles a line; returns the line to send, or null.</summary>
    /// <param name="ownNick">The present nick.</param>
    public string? Handle(IrcLine line, string ownNick)
    {
        switch (line.Command)
        {
            // The host of a service is no user's: servers refuse it.
            case "311" when _state == State.Asking && IsNick(line):
                _isService |= line.Param(3).StartsWith("services.", StringComparison.OrdinalIgnoreCase);
                break;
            // An operator, or "a network service".
            case "313" when _state == State.Asking && IsNick(line):
                _isService = true;
                break;
            case "401" when _state == State.Asking && IsNick(line):
                End ??= new ConnectionEnd("The network's services are not there: without them the bridge cannot log in.",
                    ConnectionEndKind.Refused);
                break;
            case "318" when _state == State.Asking && IsNick(line) && End is null:
                if (_isService)
                {
                    _state = State.Identifying;
                    var account = options.NickServ!;
                    return IrcLine.Format("PRIVMSG", Nick, $"IDENTIFY {account.Account} {account.Password}");
                }
                End = new ConnectionEnd("The nick of --services-nick is no service of the network, so it is not told the password.",
                    ConnectionEndKind.Refused);
                break;
            case "900" when _state == State.Identifying:
            case "MODE" when _state == State.Identifying && !line.IsFromUser && mapping.Equals(line.Param(0), ownNick)
                && IsRegistered(line):
                _state = State.Done;
                return mapping.Equals(ownNick, options.Nick) ? null : IrcLine.Format("PRIVMSG", Nick, $"REGAIN {options.Nick}");
        }
        return null;
    }

    /// <summary>No confirmation came in time.</summary>
    public ConnectionEnd TimedOut() => new(
        "The network's services did not confirm the login. Check the account in --nickserv-file.", ConnectionEndKind.Refused);

    private bool IsNick(IrcLine line) => mapping.Equals(line.Param(1), Nick);

    /// <summary>The mode +r marks a nick that is logged in.</summary>
    private static bool IsRegistered(IrcLine line)
    {
        var adds = true;
        foreach (var c in line.Param(1))
        {
            if (c is '+' or '-') adds = c == '+';
            else if (c == 'r') return adds;
        }
        return false;
    }
}
