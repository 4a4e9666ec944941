using System.Text;

namespace Relay.Bridges.Irc;

/// <summary>What the lines of the server mean, and which line leaves next. Everything here runs under the session's lock.</summary>
internal sealed partial class IrcSession
{
    private const string StartToken = "relay-start", LifeToken = "relay-alive";

    /// <summary>Acts upon a line; returns the message in it, if Relay is to have one.</summary>
    private InboundText? Handle(IrcLine line)
    {
        _clock.Hear(line);
        switch (line.Command)
        {
            case "PING":
                Answer("PONG :" + line.Text);
                return null;
            case "ERROR":
                _end ??= new ConnectionEnd($"The server closed the connection. {Quotation.Of(line)}", KindOf(line.Text));
                return null;
            case "005" or "CAP" when _registration.IsDone:
                foreach (var answer in _registration.Handle(line)) _urgent.Enqueue(answer);
                return null;
            case "396":
                _own.Learn(null, line.Param(1));
                return null;
        }
        if (!_registration.IsDone) Register(line);
        else return HandleRegistered(line);
        return null;
    }

    /// <summary>Answers with the server's own words, unless they make no line.</summary>
    private void Answer(string line)
    {
        if (Encoding.UTF8.GetByteCount(line) + 2 <= _features.LineBytes && !line.Any(char.IsControl)) _urgent.Enqueue(line);
    }

    private void Register(IrcLine line)
    {
        foreach (var answer in _registration.Handle(line)) _urgent.Enqueue(answer);
        if (_own.Nick != _registration.Nick) _own.Rename(_registration.Nick);
        if (_registration.End is { } end) _end ??= end;
        if (!_registration.IsDone) return;
        (_peers, _rules) = (new PeerTracking(_features.CaseMapping, _options.PeersByAccount), new InboundRules(_options, _features, _clock));
        _nickAsked = _time.GetTimestamp();
        if (!HasNick) _log.NickLost(_options.Endpoint);
        if (_options.NickServ is null)
        {
            AskForPrefix();
            return;
        }
        _services = new ServicesLogin(_options, _features.CaseMapping);
        _urgent.Enqueue(_services.Begin());
    }

    /// <summary>The answers tell the own prefix, and that the server has them: the bridge is ready then.</summary>
    private void AskForPrefix()
    {
        Answer("USERHOST " + _own.Nick);
        _urgent.Enqueue("PING :" + StartToken);
    }

    private InboundText? HandleRegistered(IrcLine line)
    {
        if (_services is { IsDone: false } services)
        {
            if (services.Handle(line, _own.Nick) is { } answer) _urgent.Enqueue(answer);
            _end ??= services.End;
            if (services.IsDone) AskForPrefix();
        }
        var isOwn = line.IsFromUser && _features.CaseMapping.Equals(line.Nick, _own.Nick);
        switch (line.Command)
        {
            case "PRIVMSG" or "NOTICE":
                return Receive(line);
            case "PONG" when line.Text == StartToken:
                if (!_isReady)
                {
                    foreach (var channel in _options.Channels) _urgent.Enqueue(IrcLine.Format("JOIN", channel));
                }
                _isReady = true;
                break;
            case "PONG":
                _acknowledgements.Pong(line.Text);
                break;
            case "302":
                _own.LearnUserHost(line.Text, _features.CaseMapping);
                break;
            case "CHGHOST" when isOwn:
                _own.Learn(line.Param(0), line.Param(1));
                break;
            case "JOIN" when isOwn:
                _own.Learn(line);
                break;
            case "NICK" when isOwn:
                OwnNickChanged(line);
                break;
            case "NICK" when line.IsFromUser && line.Text.Length > 0:
                if (line.Text.Any(char.IsControl)) _peers!.Gone(line.Nick);
                else _peers!.Renamed(line.Nick, line.Text);
                _rules!.Forget(line.Nick);
                _rules.Forget(line.Text);
                _log.PeerRenamed(_options.Endpoint);
                break;
            case "QUIT" when line.IsFromUser && !isOwn:
                _peers!.Gone(line.Nick);
                _rules!.Forget(line.Nick);
                break;
            case "BATCH":
                _rules!.Batch(line);
                break;
            case "401":
                _peers!.Gone(line.Param(1));
                _rules!.Forget(line.Param(1));
                Fail(line, "there is no such nick.");
                break;
            case "404" or "407" or "415" or "486" or "477" or "531" or "716":
                Fail(line, "it takes messages only from whom it has permitted, or who is logged in (modes +g, +R). "
                    + "Log in with --sasl-file, or let the contact permit the nick.");
                break;
            case "FAIL" when line.Tag("label") is not null:
                Fail(line, "the server refused the line.");
                break;
            case "010":
                _end ??= new ConnectionEnd("The server sends this connection to another server.", ConnectionEndKind.Lost);
                break;
        }
        return null;
    }

    private InboundText? Receive(IrcLine line)
    {
        var verdict = _rules!.Judge(line, _own.Nick);
        switch (verdict.Action)
        {
            case InboundAction.Echo:
                _own.Learn(line);
                var echo = _acknowledgements.Echo(line.Param(0), line.Text, line.Tag("label"), _features.CaseMapping);
                if (echo == EchoResult.Cut) _log.LineCut(_options.Endpoint);
                return null;
            // Under another nick nobody is answered: a contact would talk to an address that is not the endpoint's.
            case InboundAction.Deliver when HasNick:
                var text = Encoding.UTF8.GetBytes(verdict.Text);
                var account = _features.TagsAccounts && line.Tag("account") is { Length: > 0 } name ? name : null;
                if (_peers!.Spoke(line.Nick, account, WireText.IsOtr(text)) is { } peer)
                    return new InboundText(_options.Endpoint, peer, verdict.MessageId ?? NextMessageId(), text);
                _log.TooManyPeers(_options.Endpoint);
                return null;
            default:
                return null;
        }
    }

    private void OwnNickChanged(IrcLine line)
    {
        _own.Learn(line);
        var had = HasNick;
        _own.Rename(line.Text);
        if (had == HasNick) return;
        if (HasNick)
        {
            _log.NickRegained(_options.Endpoint);
            return;
        }
        _log.NickLost(_options.Endpoint);
        AskForNick();
    }

    private void AskForNick()
    {
        _nickAsked = _time.GetTimestamp();
        _urgent.Enqueue(IrcLine.Format("NICK", _options.Nick));
    }

    private void Fail(IrcLine line, string reason)
    {
        // FAIL has no target; the label tells the line.
        var target = line.Command == "FAIL" ? "" : line.Param(1);
        var failure = line.Command switch { "401" => Failures.NoSuchPeer, "FAIL" => Failures.Refused, _ => Failures.NotAllowed };
        if (_acknowledgements.Fail(target, line.Tag("label"), _features.CaseMapping, failure) > 0)
            _log.NotDelivered(_options.Endpoint, line.Command, reason);
    }

    /// <summary>The next line to write; null if there is none now, with the wait until one may be due.</summary>
    private string? NextLine(out TimeSpan wait)
    {
        wait = TimeSpan.Zero;
        if (_urgent.TryDequeue(out var urgent)) return urgent;
        if (_end is not null) return null;
        wait = UntilAlarm();
        if (_urgent.TryDequeue(out urgent)) return urgent;
        if (!_isReady || _end is not null) return null;
        var (flood, line) = HasNick ? NextText() : (TimeSpan.MaxValue, null);
        if (line is not null) return line;
        if (flood < wait) wait = flood;
        var waits = _acknowledgements.Uncovered;
        if (waits == 0 || _acknowledgements.IsPinging || (_queue.Count > 0 && waits < IrcLimits.LinesPerPing)) return null;
        if (_options.Flood.CountsPings)
        {
            var bytes = StartToken.Length + 8;
            if (_flood.WaitFor(bytes) is var due && due > TimeSpan.Zero)
            {
                if (due < wait) wait = due;
                return null;
            }
            _flood.Take(bytes);
        }
        return "PING :" + _acknowledgements.Ping();
    }

    /// <summary>The next line of wire text, or the wait until it may leave.</summary>
    private (TimeSpan Wait, string? Line) NextText()
    {
        while (_queue.Peek() is { } text)
        {
            var content = text.Lines[text.Written];
            if (_peers!.NickOf(text.Peer) is not { } nick)
            {
                text.Settle(Refuse(Failures.PeerUnavailable, "the peer has gone."));
                continue;
            }
            if (!LineBudget.Fits(_own, nick, content, _features))
            {
                // Its nick or the own host has changed since the text was cut, by more than the margin.
                text.Settle(Refuse(Failures.TooLarge, "names have become so long that the text no longer fits."));
                continue;
            }
            var line = $"PRIVMSG {nick} :{content}";
            var bytes = Encoding.UTF8.GetByteCount(line) + 2;
            if (_flood.WaitFor(bytes) is var wait && wait > TimeSpan.Zero) return (wait, null);
            _queue.Take();
            _flood.Take(bytes);
            var label = _acknowledgements.Wrote(text, nick, content);
            return (TimeSpan.Zero, _features.LabelsResponses ? $"@label={label} {line}" : line);
        }
        return (TimeSpan.MaxValue, null);
    }

    /// <summary>Acts upon what is due by the clock, and returns the wait until the next thing is.</summary>
    private TimeSpan UntilAlarm()
    {
        var now = _time.GetTimestamp();
        if (!_isReady)
        {
            var since = _time.GetElapsedTime(_begun, now);
            if (since >= _options.RegistrationTimeout)
            {
                _end ??= _services is { IsDone: false } services ? services.TimedOut()
                    : new ConnectionEnd("The server did not finish its greeting in time.", ConnectionEndKind.Lost);
                return TimeSpan.Zero;
            }
            var next = _options.CapabilityTimeout * (_waits + 1);
            if (since < next) return Shorter(next, _options.RegistrationTimeout) - since;
            _waits++;
            foreach (var line in _registration.Waited()) _urgent.Enqueue(line);
            if (_registration.End is { } end) _end ??= end;
            return TimeSpan.Zero;
        }
        var silence = _time.GetElapsedTime(_heard, now);
        if (silence >= _options.LostAfter)
        {
            _end ??= new ConnectionEnd($"The server has been silent for {silence.TotalSeconds:0} s.", ConnectionEndKind.Lost);
            return TimeSpan.Zero;
        }
        if (silence >= _options.PingAfter && !_hasAskedForLife)
        {
            _hasAskedForLife = true;
            _urgent.Enqueue("PING :" + LifeToken);
        }
        var wait = (_hasAskedForLife ? _options.LostAfter : _options.PingAfter) - silence;
        return HasNick ? wait : Shorter(wait, UntilNickIsAskedFor(now));
    }

    private TimeSpan UntilNickIsAskedFor(long now)
    {
        var since = _time.GetElapsedTime(_nickAsked, now);
        if (since < _options.NickRetry) return _options.NickRetry - since;
        if (_options.NickTaken == NickTaken.Stop)
        {
            _end ??= new ConnectionEnd("The network has given the bridge another nick and does not give the old one back. "
                + "Log in with --sasl-file if the nick belongs to an account.", ConnectionEndKind.Refused);
            return TimeSpan.Zero;
        }
        AskForNick();
        return _options.NickRetry;
    }

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;

    /// <summary>A server that limits connections or has banned the address is not to be asked again at once.</summary>
    private static ConnectionEndKind KindOf(string error)
    {
        string[] refusals = ["throttl", "too fast", "too many", "banned", "-line", "lined"];
        return refusals.Any(r => error.Contains(r, StringComparison.OrdinalIgnoreCase))
            ? ConnectionEndKind.Refused : ConnectionEndKind.Lost;
    }
}
