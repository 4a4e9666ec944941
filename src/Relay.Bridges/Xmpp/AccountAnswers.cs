namespace Relay.Bridges.Xmpp;

/// <summary>
/// Answers presence and iq for an account, within <see cref="AutomaticBudget"/>. Its server keeps the roster, tells subscribers that the
/// endpoint is there, and answers probes. Errors and results are never answered.
/// </summary>
/// <param name="write">Writes a stanza.</param>
/// <param name="self">The account's full address.</param>
internal sealed class AccountAnswers(
    Func<string, Task> write, Jid self, XmppAccountOptions options, EndpointDirectory endpoints, SessionResources resources)
{
    private readonly AutomaticBudget _budget = new(XmppLimits.AutomaticPerMinute, options.Time);

    public async ValueTask PresenceAsync(XmppElement presence, Jid from)
    {
        if (from.Bare == self.Bare) return;
        var endpoint = endpoints.NameOf(self.Bare.ToString());
        var peer = from.Bare.ToString();
        switch (presence["type"])
        {
            case "subscribe" when from.Local.Length > 0:
                bool isAccepted = endpoint is not null && options.MaySubscribe(from);
                await AnswerAsync(peer, StanzaWriter.ClientPresence(peer, isAccepted ? "subscribed" : "unsubscribed")
                    + (isAccepted && options.AsksForPresence ? StanzaWriter.ClientPresence(peer, "subscribe") : ""));
                break;
            case null when endpoint is not null:
                resources.Came(endpoint, from);
                break;
            case "unavailable" when endpoint is not null:
                resources.Left(endpoint, from);
                break;
        }
    }

    public async ValueTask IqAsync(XmppElement iq, Jid from)
    {
        if (iq["type"] is not ("get" or "set")) return;
        var request = iq.Children.Count > 0 ? iq.Children[0] : null;
        string? payload = request switch
        {
            { Name: "ping", Namespace: Ns.Ping } when iq["type"] == "get" => "",
            { Name: "query", Namespace: Ns.DiscoInfo } when iq["type"] == "get" && request["node"] is null => PresenceAndIq.BotInfo,
            { Name: "query", Namespace: Ns.DiscoItems } when iq["type"] == "get" => PresenceAndIq.NoItems,
            // Only the account itself pushes its roster, which is not kept here; from others it is an attack (RFC 6121, 2.1.6).
            { Name: "query", Namespace: Ns.Roster } when iq["type"] == "set" && from.Bare == self.Bare => "",
            _ => null,
        };
        var (to, id) = (iq["from"] ?? self.Bare.ToString(), iq["id"] ?? "");
        await AnswerAsync(from.Bare.ToString(), payload is not null ? StanzaWriter.Result(self.ToString(), to, id, payload)
            : StanzaWriter.Error("iq", self.ToString(), to, id, "service-unavailable"));
    }

    /// <summary>Tells a sender that no endpoint has the account.</summary>
    public ValueTask RefuseMessageAsync(XmppElement message, Jid from, string address) => AnswerAsync(from.Bare.ToString(),
        StanzaWriter.Error("message", self.ToString(), from.ToString(), message["id"] ?? "", "service-unavailable"));

    /// <inheritdoc cref="PresenceAndIq.RefuseClearAsync"/>
    public ValueTask RefuseClearAsync(XmppElement message, Jid from, string address, string text) => AnswerAsync(from.Bare.ToString(),
        StanzaWriter.Error(
            "message", self.ToString(), from.ToString(), message["id"] ?? "", RequiredOtr.Condition, text, RequiredOtr.Type));

    private async ValueTask AnswerAsync(string peer, string xml)
    {
        if (_budget.TrySpend(peer)) await write(xml);
    }
}
