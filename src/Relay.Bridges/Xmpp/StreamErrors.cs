namespace Relay.Bridges.Xmpp;

/// <summary>Explains stream errors of XMPP servers to operators, with what to do, and says how to go on.</summary>
internal static class StreamErrors
{
    /// <summary>The server has answered nothing for a minute.</summary>
    public const string Silent = "The server does not answer: the connection is dead.";

    /// <summary>Explains an error of a component's stream.</summary>
    public static ConnectionEnd Explain(XmppElement error, string domain)
    {
        var condition = Condition(error);
        return condition switch
        {
            "not-authorized" => new ConnectionEnd(
                $"The server refuses the secret of the component {domain} (not-authorized): compare the secret file with component_secret "
                + "in Prosody's configuration, or with the password in ejabberd's. ejabberd says the same of a domain that it does not "
                + "know.",
                ConnectionEndKind.Refused),
            "host-unknown" => new ConnectionEnd(
                $"The server does not know the component {domain} (host-unknown): add it to the server's configuration, or correct "
                + "--domain.",
                ConnectionEndKind.Refused),
            "conflict" => new ConnectionEnd(
                $"Another connection carries the component {domain} (conflict): stop the other bridge. If it is a broken connection of "
                + "this one, the server notices in time; in Prosody, "
                + "component_conflict_resolve = \"kick_old\" lets the newer one in at once.",
                ConnectionEndKind.Refused),
            "invalid-from" or "improper-addressing" => new ConnectionEnd(
                $"The server ended the connection because of a sender's address ({condition}): the accounts of all endpoints must be in "
                + $"{domain}.",
                ConnectionEndKind.Lost),
            _ => Any(condition),
        };
    }

    /// <summary>Explains an error of an account's stream.</summary>
    public static ConnectionEnd ExplainAccount(XmppElement error, string domain)
    {
        var condition = Condition(error);
        return condition switch
        {
            "conflict" => new ConnectionEnd(
                "Another connection has taken this one's place (conflict): run one bridge for the account, and nothing else under its "
                + "resource. This one does not fight for it.",
                ConnectionEndKind.Replaced),
            "not-authorized" => new ConnectionEnd(
                "The server does not let the account go on (not-authorized): is it blocked, or deleted?", ConnectionEndKind.Refused),
            "host-unknown" => new ConnectionEnd(
                $"The server does not serve {domain} (host-unknown): name the account's server with --host.", ConnectionEndKind.Refused),
            "invalid-from" => new ConnectionEnd("The server ended the connection because of a sender's address (invalid-from).",
                ConnectionEndKind.Lost),
            _ => Any(condition),
        };
    }

    private static string? Condition(XmppElement error) =>
        error.Children.FirstOrDefault(c => c.Namespace == Ns.StreamErrors && c.Name != "text")?.Name;

    private static ConnectionEnd Any(string? condition) => condition switch
    {
        "not-well-formed" => new ConnectionEnd(
            "The server ended the connection (not-well-formed); Prosody says this of a stanza of more than 524,288 bytes, too.",
            ConnectionEndKind.Lost),
        "system-shutdown" or "reset" => new ConnectionEnd($"The server restarts ({condition}).", ConnectionEndKind.Lost),
        // The names that RFC 6120 defines; anything else is the server's own text, which is not repeated.
        "policy-violation" or "resource-constraint" or "connection-timeout" or "internal-server-error" or "host-gone"
            or "invalid-namespace" or "invalid-xml" or "unsupported-stanza-type" or "unsupported-version" or "restricted-xml"
            or "undefined-condition"
            or "bad-format" or "bad-namespace-prefix" or "see-other-host" or "remote-connection-failed"
            => new ConnectionEnd($"The server ended the connection ({condition}).", ConnectionEndKind.Lost),
        _ => new ConnectionEnd("The server ended the connection with an error that it did not name.", ConnectionEndKind.Lost),
    };
}
