using System.Text;

namespace Relay.Proxy.Irc;

/// <summary>
/// The client's login by SASL, which ends here on both sides: the client gives its password by PLAIN, on loopback, and the proxy logs in with
/// it at the server by SCRAM where there is that, else by PLAIN: there is no connection but in verified TLS, on this machine, or to an onion
/// service. It does no I/O.
/// </summary>
/// <param name="isOffered">Clients are offered it before the server has said whether it has it.</param>
internal sealed class SaslLogin(bool isOffered)
{
    private const string Plain = "PLAIN";
    private readonly StringBuilder _collected = new();
    private readonly List<string> _toServer = [], _toClient = [];
    private State _state;
    private string[] _offered = isOffered ? [Plain] : [];
    private (string Authorised, string User, string Password) _account;
    private ScramClient? _scram;

    private enum State { Idle, FromClient, Asked, ScramFirst, ScramFinal, Proven }

    /// <summary>How the login is offered to clients; null: not at all.</summary>
    public string? Offer => Mechanism(_offered) is not null ? Plain : null;

    /// <summary>Lines for the server, which the call before brought.</summary>
    public IReadOnlyList<string> ToServer => _toServer;

    /// <summary>Lines for the client, which the call before brought; an asterisk stands for its nick.</summary>
    public IReadOnlyList<string> ToClient => _toClient;

    /// <summary>The server did not prove that it knows the password, and says that the login succeeded.</summary>
    public bool IsUnproven { get; private set; }

    /// <summary>The client has given its account, and the server has not said what it thinks of it.</summary>
    public bool HasAccount => _state is State.Asked or State.ScramFirst or State.ScramFinal or State.Proven;

    /// <summary>The server offers the login with these mechanisms; empty: it does not say which; null: it does not offer it.</summary>
    public void Offered(string[]? mechanisms) => _offered = mechanisms is { Length: 0 } ? [Plain] : mechanisms ?? [];

    /// <summary>Logs in with the account that the client gave before the server's mechanisms were known; false if there is none of ours.</summary>
    public bool Resume()
    {
        Begin();
        if (Ask()) return true;
        Clear();
        return false;
    }

    /// <summary>AUTHENTICATE of the client.</summary>
    public void FromClient(string argument)
    {
        Begin();
        switch (_state)
        {
            case State.FromClient when argument != "*":
                if (argument != "+") _collected.Append(argument);
                if (_collected.Length > ProxyLimits.IrcSaslBytes) Fail("905 * :The SASL message is too long");
                else if (argument.Length != ProxyLimits.IrcSaslPiece) LogIn();
                break;
            case State.Idle when argument.Equals(Plain, StringComparison.OrdinalIgnoreCase) && Offer is not null:
                _state = State.FromClient;
                _collected.Clear();
                _toClient.Add("AUTHENTICATE +");
                break;
            case State.Idle:
                _toClient.Add($":{ServiceNick.Host} 908 * {Plain} :are available SASL mechanisms");
                Fail("904 * :The proxy takes SASL PLAIN only");
                break;
            default:
                if (_state != State.FromClient) _toServer.Add("AUTHENTICATE *");
                Fail("906 * :SASL authentication aborted");
                break;
        }
    }

    /// <summary>AUTHENTICATE of the server.</summary>
    public void FromServer(string argument)
    {
        Begin();
        if (argument != "+") _collected.Append(argument);
        if (argument.Length == ProxyLimits.IrcSaslPiece && _collected.Length <= ProxyLimits.IrcSaslBytes) return;
        var message = Decode();
        _collected.Clear();
        switch (_state)
        {
            case State.Asked when _scram is null:
                Send($"{_account.Authorised}\0{_account.User}\0{_account.Password}");
                _state = State.Proven;
                break;
            case State.Asked:
                Send(_scram!.First);
                _state = State.ScramFirst;
                break;
            case State.ScramFirst when message is not null && _scram!.Final(message) is { } final:
                Send(final);
                _state = State.ScramFinal;
                break;
            case State.ScramFinal when message is not null && _scram!.Verify(message):
                _toServer.Add("AUTHENTICATE +");
                _state = State.Proven;
                break;
            default:
                _toServer.Add("AUTHENTICATE *");
                Fail("904 * :The server's SASL answer is wrong");
                break;
        }
    }

    /// <summary>A numeric of the server about the login; true if the client gets it as it is.</summary>
    public bool Result(string numeric)
    {
        Begin();
        switch (numeric)
        {
            case "900" or "901" or "908":
                return numeric != "908";
            case "903" when _state != State.Proven:
                IsUnproven = true;
                Fail("904 * :The server did not prove that it knows the password");
                return false;
            case "904" when _scram is not null && _state is not State.Idle && CanPlain:
                // The server has no SCRAM for this account. It could have asked for PLAIN at once.
                _scram = null;
                _state = State.Asked;
                _toServer.Add("AUTHENTICATE " + Plain);
                return false;
            default:
                bool wasOurs = _state != State.Idle;
                Clear();
                return wasOurs || numeric is "903" or "907";
        }
    }

    private bool CanPlain => _offered.Contains(Plain);

    private string? Mechanism(string[] offered) => ScramClient.Mechanisms.FirstOrDefault(offered.Contains) ?? (CanPlain ? Plain : null);

    private void LogIn()
    {
        var parts = Decode()?.Split('\0') ?? [];
        _collected.Clear();
        if (parts.Length == 3) _account = (parts[0], parts[1], parts[2]);
        if (parts.Length != 3 || !Ask()) Fail("904 * :The SASL message is malformed");
    }

    /// <summary>Asks the server for the best mechanism.</summary>
    private bool Ask()
    {
        if (Mechanism(_offered) is not { } mechanism) return false;
        _scram = mechanism == Plain ? null : ScramClient.Begin(mechanism, _account.User, _account.Password);
        _state = State.Asked;
        _toServer.Add("AUTHENTICATE " + mechanism);
        return true;
    }

    private string? Decode()
    {
        var bytes = new byte[_collected.Length];
        return Convert.TryFromBase64String(_collected.ToString(), bytes, out int length) ? Encoding.UTF8.GetString(bytes, 0, length) : null;
    }

    /// <summary>Base64 in pieces; a full last one is followed by an empty one.</summary>
    private void Send(string message)
    {
        var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes(message));
        for (int at = 0; at < encoded.Length; at += ProxyLimits.IrcSaslPiece)
            _toServer.Add("AUTHENTICATE " + encoded.Substring(at, Math.Min(ProxyLimits.IrcSaslPiece, encoded.Length - at)));
        if (encoded.Length % ProxyLimits.IrcSaslPiece == 0) _toServer.Add("AUTHENTICATE +");
    }

    private void Begin()
    {
        _toServer.Clear();
        _toClient.Clear();
    }

    private void Fail(string numeric)
    {
        _toClient.Add($":{ServiceNick.Host} {numeric}");
        Clear();
    }

    private void Clear()
    {
        _state = State.Idle;
        _collected.Clear();
        _account = default;
        _scram = null;
    }
}
