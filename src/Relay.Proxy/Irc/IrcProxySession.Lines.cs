using Relay.Proxy.Contacts;

namespace Relay.Proxy.Irc;

// What is done with one line, under the lock of the private conversations.
internal sealed partial class IrcProxySession
{
    private const string DiskFailed = "The disk failed, and the line was NOT passed on: nobody knows what may go in the clear. See the proxy's log.";

    private void FromClient(RawLine raw)
    {
        if (!raw.IsSound)
        {
            Notice("A line was NOT sent: it has a line end or a NUL inside, at which servers would cut it in two.");
            return;
        }
        if (_login.IsAdmitted)
        {
            Handle(raw);
            return;
        }
        switch (_login.Take(raw))
        {
            case LoginStep.Capabilities:
                Handle(raw);
                break;
            case LoginStep.Admitted:
                foreach (var held in _login.TakeHeld()) Handle(held);
                break;
            case LoginStep.Answered answered:
                foreach (var answer in answered.Lines) AddToClient(answer);
                break;
            case LoginStep.Ended:
                _toClient.End();
                break;
            case LoginStep.Refused refused:
                AddToClient($":{ServiceNick.Host} {refused.Numeric} {_nicks.Own} :{refused.Reason}");
                AddToClient(ClientLogin.Error(refused.Reason));
                _toClient.End();
                break;
        }
    }

    /// <summary>A sound line of a client that is let in, or asks for capabilities.</summary>
    private void Handle(RawLine raw)
    {
        var line = raw.Line;
        switch (line.Command)
        {
            case "CAP" or "AUTHENTICATE" when _early is { IsWaiting: true } early:
                if (!early.Hold(raw)) _toClient.End();
                return;
            case "CAP" when _logsIn && line.Param(0).Equals("END", StringComparison.OrdinalIgnoreCase):
                // It would break the login off.
                _early!.HasEnded = true;
                return;
            case "CAP":
                CapFromClient(raw);
                return;
            case "AUTHENTICATE":
                _sasl.FromClient(line.Param(0));
                Carry();
                return;
            case "PASS" when _options.ClientPassword is not null:
                return;
            case "STARTTLS" or "WEBIRC" or "PROXY":
                AddToClient($":{ServiceNick.Host} 421 {_nicks.Own} {line.Command} :Unknown command");
                return;
            case "USER" when _options.AccountCertificate is not null && !_negotiates:
                // The login by certificate has opened the negotiation, of which this client knows nothing.
                Pass(raw, _toServer);
                AddToServer("CAP END");
                return;
        }
        try
        {
            Send(raw, _outbound.Judge(line));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Notice(DiskFailed);
        }
    }

    private void Send(RawLine raw, OutboundLineDecision decision)
    {
        var line = raw.Line;
        switch (decision)
        {
            case OutboundLineDecision.Pass:
                if (raw.Length > _nicks.LineBytes)
                {
                    AddToClient($":{ServiceNick.Host} 417 {_nicks.Own} :Input line was too long");
                    break;
                }
                if (line.Command is "PRIVMSG" or "NOTICE") Know(line.Param(0).Split(','));
                Pass(raw, _toServer);
                break;
            case OutboundLineDecision.ServiceQuestion question:
                foreach (var answer in ServiceNick.Answer(line, _nicks.Own)) AddToClient(answer);
                if (question.Others is { } others) AddToServer(others);
                break;
            case OutboundLineDecision.Command command:
                _contacts.Command(this, command.Contact, command.Text);
                break;
            case OutboundLineDecision.Message { IsForService: true } command:
                _contacts.Command(this, null, command.Text);
                break;
            case OutboundLineDecision.Message message:
                foreach (var contact in message.Private) _contacts.Send(this, contact, message.Text, $"{++_made}");
                if (message.Others.Count == 0) break;
                Know(message.Others);
                var targets = string.Join(',', message.Others);
                AddToServer($"{raw.Tags}{line.Command} {targets}{(line.Command is "CPRIVMSG" or "CNOTICE" ? " " + line.Param(1) : "")} :{message.Text}");
                break;
            case OutboundLineDecision.Refused refused:
                Notice($"A line{(line.Param(0).Length > 0 ? $" to {line.Param(0)}" : "")} was NOT sent: {refused.Reason}.");
                break;
        }
    }

    /// <summary>Whom the person writes to is no stranger.</summary>
    private void Know(IEnumerable<string> targets)
    {
        foreach (var target in targets)
        {
            if (_nicks.Typed(target) is not { } contact) continue;
            _contacts.Book.MarkKnown(contact);
            _contacts.Current = contact;
        }
    }

    private void CapFromClient(RawLine raw)
    {
        var line = raw.Line;
        _negotiates = true;
        // A server reads the first parameter behind the word, a client may write several.
        var asked = string.Join(' ', line.Params.Skip(1));
        if (!line.Param(0).Equals("REQ", StringComparison.OrdinalIgnoreCase))
        {
            if (_early is not { IsKnown: false }) Pass(raw, _toServer);
        }
        else if (!Capabilities.MayAsk(asked, _sasl.Offer is not null || _early is not null && _options.AccountCertificate is null))
            AddToClient(Capabilities.Line(_nicks.Own, "NAK", asked));
        else if (_early is null) Pass(raw, _toServer);
        else if (_early.Available(asked) is { Length: > 0 } available) AddToServer($"CAP REQ :{available}");
        else
        {
            // Granted and taken back at once: to a refusal of what was offered, some programs wait for ever.
            AddToClient(Capabilities.Line(_nicks.Own, "ACK", asked));
            AddToClient(Capabilities.Line(_nicks.Own, "DEL", string.Join(' ', Capabilities.Names(asked))));
        }
    }

    private void CapFromServer(RawLine raw)
    {
        var line = raw.Line;
        var kind = line.Param(1).ToUpperInvariant();
        if (kind is "LS" or "NEW" && _options.AccountCertificate is null && Capabilities.Mechanisms(line.Text) is { } mechanisms) _sasl.Offered(mechanisms);
        if (kind is "LS" or "NEW") _early?.Offered(line.Text);
        bool hasMore = line.Params.Count > 3 && line.Param(2) == "*";
        if (_early is { IsWaiting: true } && kind == "LS")
        {
            if (!hasMore) GoOn(isKnown: true);
            return;
        }
        if (kind is "ACK" or "NAK" && _early is { AwaitsGrant: true } early)
        {
            // The client has had its answer.
            early.AwaitsGrant = false;
            if (kind == "NAK") AddToClient(Capabilities.Line(_nicks.Own, "DEL", early.Granted));
            return;
        }
        if (kind is "DEL" or "NAK")
        {
            Pass(raw, _toClient);
            return;
        }
        var shown = Capabilities.Shown(line.Text, _sasl.Offer);
        if (kind == "NEW" && shown.Length == 0) return;
        AddToClient($":{(line.Prefix.Length > 0 ? line.Prefix : ServiceNick.Host)} CAP {_nicks.Own} {kind}{(hasMore ? " *" : "")} :{shown}");
    }

    private void Carry()
    {
        foreach (var line in _sasl.ToServer) AddToServer(line);
        foreach (var line in _sasl.ToClient) AddToClient(line.Replace(" * ", $" {_nicks.Own} ", StringComparison.Ordinal));
        if (!_sasl.IsUnproven) return;
        AddToClient("ERROR :OTR proxy: the server did not prove that it knows the account's password (SCRAM).");
        _toClient.End();
    }

    private void FromServer(RawLine raw)
    {
        var line = raw.Line;
        if (!raw.IsSound || ServiceNick.IsClaimedBy(line))
        {
            if (_isRegistered && !_hasToldUnsound)
                Notice($"The server sent a line that the proxy does not pass on: {(raw.IsSound ? $"it speaks for {ServiceNick.Nick}, which is the proxy's"
                    : "it has a line end or a NUL inside")}. Further ones are dropped without a word.");
            _hasToldUnsound |= _isRegistered;
            return;
        }
        _nicks.Seen(line);
        _clock.Hear(line);
        if (_early is { IsWaiting: true })
        {
            // A server without capabilities says so, or registers the client without a word about them.
            bool isRefusal = line.Command == "421" && line.Param(1).Equals("CAP", StringComparison.OrdinalIgnoreCase) || line.Command == "451";
            if (isRefusal || line.Command == "001") GoOn(isKnown: false);
            if (isRefusal) return;
        }
        if (_logsIn && FromServerAtLogin(line)) return;
        switch (line.Command)
        {
            case "001":
                Registered(raw);
                break;
            case "005":
                _nicks.Learn(line);
                Pass(raw, _toClient);
                break;
            case "010":
                // The client would leave the proxy.
                Notice("The server names another server to go to, which is not passed on: name that one with --upstream.");
                break;
            case "301":
                PassEscaped(raw);
                break;
            case "401":
                _contacts.DeviceGone(_nicks.Address(line.Param(1)));
                Pass(raw, _toClient);
                break;
            case "900" or "901" or "902" or "903" or "904" or "905" or "906" or "907" or "908":
                if (_sasl.Result(line.Command)) Pass(raw, _toClient);
                Carry();
                break;
            case "AUTHENTICATE":
                _sasl.FromServer(line.Param(0));
                Carry();
                break;
            case "BATCH":
                _arrived.Batch(line);
                Pass(raw, _toClient);
                break;
            case "CAP":
                CapFromServer(raw);
                break;
            case "NICK":
                Renamed(raw);
                break;
            case "QUIT" or "KILL":
                _contacts.DeviceGone(_nicks.Address(line.Command == "KILL" ? line.Param(0) : line.Nick));
                Pass(raw, _toClient);
                break;
            case "PRIVMSG" or "NOTICE":
                Arrived(raw);
                break;
            default:
                Pass(raw, _toClient);
                break;
        }
    }

    private void Registered(RawLine raw)
    {
        _nicks.Named(raw.Line.Param(0));
        Pass(raw, _toClient);
        if (_isRegistered) return;
        _isRegistered = true;
        _contacts.Attach(this);
        if (!CaseMapping.Rfc1459.Equals(_nicks.Own, _options.Nick))
            Notice($"You are {_nicks.Own} here, not {_options.Nick}: contacts may take you for somebody else. Their programs see the same key.");
    }

    private void Renamed(RawLine raw)
    {
        var (from, to) = (raw.Line.Nick, raw.Line.Param(0));
        Pass(raw, _toClient);
        if (_nicks.IsOwn(from))
        {
            _nicks.Named(to);
            return;
        }
        if (!raw.Line.IsFromUser || !NickBook.IsNick(from) || !NickBook.IsNick(to)) return;
        _nicks.Renamed(raw.Line);
        _contacts.Renamed(_nicks.Address(from), _nicks.Address(to));
    }

    private void Arrived(RawLine raw)
    {
        try
        {
            switch (_arrived.Judge(raw.Line))
            {
                case ArrivedLineDecision.Pass:
                    Pass(raw, _toClient);
                    break;
                case ArrivedLineDecision.Replaced replaced:
                    PassReplaced(raw, replaced.Body);
                    break;
                case ArrivedLineDecision.Dropped { Notice: { } notice }:
                    Notice(notice);
                    break;
                case ArrivedLineDecision.Text text:
                    if (_contacts.Receive(this, text.Contact, text.Body, raw, text.IsDelayed) == Received.Taken) break;
                    if (text.Otherwise is { } otherwise) PassReplaced(raw, otherwise);
                    else Pass(raw, _toClient);
                    break;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Notice("The disk failed, and a text that arrived was dropped. See the proxy's log.");
        }
    }

    private void PassEscaped(RawLine raw)
    {
        if (ArrivedLine.Escaped(raw.Line.Text) is ArrivedLineDecision.Replaced replaced) PassReplaced(raw, replaced.Body);
        else Pass(raw, _toClient);
    }

    /// <summary>The line with another last parameter.</summary>
    private void PassReplaced(RawLine raw, string text)
    {
        var line = raw.Line;
        AddToClient($"{raw.Tags}{(line.Prefix.Length > 0 ? $":{line.Prefix} " : "")}{line.Command} {string.Join(' ', line.Params.SkipLast(1))} :{text}");
    }
}
