using System.Globalization;

namespace Relay.Bridges.Irc;

/// <summary>A server that asks to be left for another one (010).</summary>
internal readonly record struct Redirect(string Host, int Port);

/// <summary>
/// The dialogue from the connection to the end of the server's greeting: capabilities, SASL, nick. It does no I/O: lines go in, and lines
/// to send come out. The nick is registered only when what was to be authenticated is.
/// </summary>
internal sealed class Registration(IrcOptions options, ServerFeatures features)
{
    private static readonly string[] s_wanted =
    [
        "message-tags", "server-time", "echo-message", "labeled-response", "batch", "account-tag", "account-notify", "chghost",
        "cap-notify",
    ];
    private readonly Dictionary<string, string> _offered = new(StringComparer.Ordinal);
    private readonly List<string> _output = [];
    private int _requests;
    private bool _negotiates = true, _heardCap, _asksForSasl, _authenticated, _askedAgain;

    /// <summary>The connection ends; null while it goes on.</summary>
    public ConnectionEnd? End { get; private set; }

    /// <summary>The server named another server; null: it did not.</summary>
    public Redirect? Redirect { get; private set; }

    /// <summary>The greeting is over: messages can be sent.</summary>
    public bool IsDone { get; private set; }

    /// <summary>The nick that the server gave.</summary>
    public string Nick { get; private set; } = options.Nick;

    /// <summary>The server offered TLS on this port to a connection without (sts); null: it did not.</summary>
    public int? SecurePort { get; private set; }

    /// <summary>The lines to send at the start.</summary>
    public IReadOnlyList<string> Begin()
    {
        Send("CAP LS 302");
        if (options.ServerPassword is { } password) Send(IrcLine.Format("PASS", password));
        SendNames();
        return Output();
    }

    /// <summary>Handles one line, and returns the lines to send.</summary>
    public IReadOnlyList<string> Handle(IrcLine line)
    {
        _output.Clear();
        switch (line.Command)
        {
            case "CAP":
                _heardCap = true;
                HandleCap(line);
                break;
            case "AUTHENTICATE" when line.Param(0) == "+" && _asksForSasl:
                foreach (var piece in Sasl.Response(options)) Send(piece);
                break;
            case "903" or "907":
                _authenticated = true;
                EndNegotiation();
                break;
            case "902" or "904" or "905" or "906":
                // The server would register the connection all the same, under the endpoint's nick and without its account.
                Fail(ConnectionEndKind.Misconfigured, "The server refuses the SASL login. Check the account in --sasl-file, or with "
                    + "EXTERNAL that the fingerprint of --client-certificate belongs to the account.", line);
                break;
            case "001":
                Nick = line.Param(0);
                if (options.Authenticates && !_authenticated)
                    Fail(ConnectionEndKind.Refused, "The server registered the nick before the SASL login. It offers no SASL, or its "
                        + "services are down. Without --sasl-file the bridge does not log in.", null);
                break;
            case "005":
                features.Learn(line);
                break;
            case "376" or "422":
                IsDone = End is null;
                break;
            case "010":
                FollowRedirect(line);
                break;
            case "433" or "436" or "437":
                OtherNick(line);
                break;
            case "432":
                Fail(ConnectionEndKind.Misconfigured, "The server does not accept the nick of --nick.", line);
                break;
            case "464":
                Fail(ConnectionEndKind.Misconfigured,
                    "The server wants a password of its own, or another one. Check --server-password-file.", line);
                break;
            case "465" or "463":
                Fail(ConnectionEndKind.Refused, "The server does not admit this connection.", line);
                break;
        }
        return Output();
    }

    /// <summary>
    /// The server has not answered for a while: names are sent again to one that ignores CAP, and services are waited for no longer.
    /// </summary>
    public IReadOnlyList<string> Waited()
    {
        _output.Clear();
        if (!_heardCap && !_askedAgain)
        {
            _askedAgain = true;
            SendNames();
        }
        else if (_negotiates && _heardCap && options.Authenticates && !_asksForSasl)
            Fail(ConnectionEndKind.Refused,
                "The server offers no SASL. Its services may be down; without --sasl-file the bridge does not log in.", null);
        return Output();
    }

    private void HandleCap(IrcLine line)
    {
        var words = line.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        switch (line.Param(1).ToUpperInvariant())
        {
            case "LS":
                Offer(words);
                // An asterisk: more lines follow.
                if (line.Param(2) != "*" || line.Params.Count < 4) Request();
                break;
            case "NEW":
                Offer(words);
                if (_negotiates && options.Authenticates && !_asksForSasl && _offered.ContainsKey("sasl")) RequestSasl();
                break;
            case "DEL":
                foreach (var name in words) features.Disable(name);
                break;
            case "ACK":
                foreach (var name in words) features.Enable(name);
                _requests--;
                if (words.Contains("sasl") && _asksForSasl) Send("AUTHENTICATE " + Sasl.Mechanism(options));
                EndNegotiationIfComplete();
                break;
            case "NAK":
                _requests--;
                if (words.Contains("sasl")) Fail(ConnectionEndKind.Refused, "The server offers SASL and then refuses it.", null);
                EndNegotiationIfComplete();
                break;
        }
    }

    private void Offer(string[] words)
    {
        foreach (var word in words)
        {
            if (_offered.Count == IrcLimits.Tokens) break;
            var equals = word.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0) _offered[word] = "";
            else _offered[word[..equals]] = word[(equals + 1)..];
        }
    }

    private void Request()
    {
        if (!options.Tls && _offered.TryGetValue("sts", out var policy) && SecurePortOf(policy) is { } port)
        {
            SecurePort = port;
            Fail(ConnectionEndKind.Lost, "The server wants TLS (sts).", null);
            return;
        }
        var wanted = string.Join(' ', s_wanted.Where(_offered.ContainsKey));
        if (wanted.Length > 0) RequestCapability(wanted);
        if (options.Authenticates && _offered.ContainsKey("sasl")) RequestSasl();
        EndNegotiationIfComplete();
    }

    private void RequestSasl()
    {
        var mechanism = Sasl.Mechanism(options);
        var offered = _offered["sasl"];
        if (offered.Length > 0 && !offered.Split(',').Contains(mechanism, StringComparer.OrdinalIgnoreCase))
        {
            Fail(ConnectionEndKind.Misconfigured, $"The server does not offer SASL {mechanism}, but {offered}.", null);
            return;
        }
        _asksForSasl = true;
        RequestCapability("sasl");
    }

    private void RequestCapability(string names)
    {
        _requests++;
        Send("CAP REQ :" + names);
    }

    /// <summary>With a login the negotiation stays open until it has succeeded; services may be linked late, which CAP NEW tells.</summary>
    private void EndNegotiationIfComplete()
    {
        if (_requests <= 0 && !options.Authenticates) EndNegotiation();
    }

    private void EndNegotiation()
    {
        if (!_negotiates || End is not null) return;
        _negotiates = false;
        Send("CAP END");
    }

    private void FollowRedirect(IrcLine line)
    {
        if (int.TryParse(line.Param(2), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            && port is > 0 and <= 65_535 && line.Param(1).Length > 0)
            Redirect = new Redirect(line.Param(1), port);
        Fail(ConnectionEndKind.Refused, "The server sends this connection to another server.", null);
    }

    private void OtherNick(IrcLine line)
    {
        if (options.NickTaken == NickTaken.Stop)
            Fail(ConnectionEndKind.Refused, "Another client has the nick of --nick. If it is a broken connection of this bridge, the "
                + "server removes it within minutes; with --nick-taken wait the bridge stays and takes the nick then.", line);
        else
        {
            // Contacts are not to talk to it: nothing is carried under another nick.
            Nick = NextNick(Nick);
            Send("NICK " + Nick);
        }
    }

    /// <summary>Another nick that is not longer than nine characters: a server that cuts nicks would give the taken one again.</summary>
    private static string NextNick(string nick)
    {
        var isNext = nick.Length > 2 && char.IsAsciiDigit(nick[^1]) && nick[^2] == '_';
        var digit = isNext ? nick[^1] - '0' + 1 : 0;
        return $"{(isNext ? nick[..^2] : nick[..Math.Min(nick.Length, 7)])}_{digit % 10}";
    }

    private static int? SecurePortOf(string policy)
    {
        foreach (var part in policy.Split(','))
        {
            if (part.StartsWith("port=", StringComparison.Ordinal)
                && int.TryParse(part.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65_535)
                return port;
        }
        return null;
    }

    private void SendNames()
    {
        Send(IrcLine.Format("NICK", options.Nick));
        Send(IrcLine.Format("USER", options.UserName, "0", "*", options.RealName));
    }

    private void Fail(ConnectionEndKind kind, string reason, IrcLine? line)
    {
        if (End is not null) return;
        End = new ConnectionEnd(line is null ? reason : $"{reason} {Quotation.Of(line)}", kind);
        Send("QUIT");
    }

    private void Send(string line) => _output.Add(line);

    private string[] Output()
    {
        string[] lines = [.. _output];
        _output.Clear();
        return lines;
    }
}

/// <summary>A server's own words in a reason for the operator: shortened, and without what a terminal would act upon.</summary>
internal static class Quotation
{
    public static string Of(IrcLine line)
    {
        var words = new string([.. line.Text.Where(c => !char.IsControl(c)).Take(IrcLimits.QuotedCharacters)]);
        return words.Length == 0 ? $"The server's code is {line.Command}." : $"The server says: {line.Command} {words}";
    }
}
