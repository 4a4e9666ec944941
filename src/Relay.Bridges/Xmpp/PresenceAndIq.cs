namespace Relay.Bridges.Xmpp;

/// <summary>
/// Answers presence and iq for the endpoints, from the address that was asked, within <see cref="AutomaticBudget"/>. Errors and results
/// are never answered.
/// </summary>
internal sealed class PresenceAndIq(
    StanzaStream stream, XmppOptions options, EndpointDirectory endpoints, SessionResources resources, Subscribers subscribers)
{
    /// <summary>The resource of every endpoint.</summary>
    public const string Resource = "relay";

    /// <summary>What an endpoint answers when it is asked what it is (XEP-0030).</summary>
    public const string BotInfo = $"<query xmlns='{Ns.DiscoInfo}'><identity category='client' type='bot' name='Relay'/>"
        + $"<feature var='{Ns.DiscoInfo}'/><feature var='{Ns.Ping}'/></query>";
    private const string ComponentInfo = $"<query xmlns='{Ns.DiscoInfo}'><identity category='component' type='generic' name='Relay'/>"
        + $"<feature var='{Ns.DiscoInfo}'/><feature var='{Ns.DiscoItems}'/><feature var='{Ns.Ping}'/></query>";
    public const string NoItems = $"<query xmlns='{Ns.DiscoItems}'/>";

    private readonly AutomaticBudget _budget = new(XmppLimits.AutomaticPerMinute, options.Time);

    public async ValueTask PresenceAsync(XmppElement presence, Jid from, Jid to)
    {
        var address = to.Bare.ToString();
        var peer = from.Bare.ToString();
        var endpoint = endpoints.NameOf(address);
        switch (presence["type"])
        {
            case "subscribe" when endpoint is not null && options.MaySubscribe(from):
                subscribers.Add(address, peer);
                await AnswerAsync(peer,
                    StanzaWriter.Presence(address, peer, "subscribed") + StanzaWriter.Presence($"{address}/{Resource}", peer)
                    + (options.AsksForPresence ? StanzaWriter.Presence(address, peer, "subscribe") : ""));
                break;
            case "subscribe" or "unsubscribe":
                subscribers.Remove(address, peer);
                await AnswerAsync(peer, StanzaWriter.Presence(address, peer, "unsubscribed"));
                break;
            case "probe" when endpoint is not null && options.MaySubscribe(from):
                subscribers.Add(address, peer);
                await AnswerAsync(peer, StanzaWriter.Presence($"{address}/{Resource}", from.ToString()));
                break;
            case "probe":
                await AnswerAsync(peer, StanzaWriter.Presence(address, peer, "unsubscribed"));
                break;
            case null when endpoint is not null:
                resources.Came(endpoint, from);
                break;
            case "unavailable" when endpoint is not null:
                resources.Left(endpoint, from);
                break;
        }
    }

    /// <param name="asker">As it was written, which is what the asker's program compares.</param>
    /// <param name="asked">As it was written.</param>
    public async ValueTask IqAsync(XmppElement iq, string asker, string asked, Jid from, Jid to)
    {
        if (iq["type"] is not ("get" or "set")) return;
        var iqId = iq["id"] ?? "";
        bool isComponent = to.Local.Length == 0;
        bool isThere = isComponent || endpoints.NameOf(to.Bare.ToString()) is not null;
        var request = iq.Children.Count > 0 ? iq.Children[0] : null;
        string? payload = iq["type"] != "get" || !isThere ? null : request switch
        {
            { Name: "ping", Namespace: Ns.Ping } => "",
            { Name: "query", Namespace: Ns.DiscoInfo } when request["node"] is null => isComponent ? ComponentInfo : BotInfo,
            { Name: "query", Namespace: Ns.DiscoItems } => NoItems,
            _ => null,
        };
        await AnswerAsync(from.Bare.ToString(), payload is not null ? StanzaWriter.Result(asked, asker, iqId, payload)
            : StanzaWriter.Error("iq", asked, asker, iqId, isThere ? "service-unavailable" : "item-not-found"));
    }

    /// <summary>Tells a sender that nobody has the address.</summary>
    public ValueTask RefuseMessageAsync(XmppElement message, Jid from, string address) =>
        AnswerAsync(from.Bare.ToString(), StanzaWriter.Error("message", address, from.ToString(), message["id"] ?? "", "item-not-found"));

    /// <summary>Returns a message that is not let by where OTR is required.</summary>
    public ValueTask RefuseClearAsync(XmppElement message, Jid from, string address, string text) => AnswerAsync(from.Bare.ToString(),
        StanzaWriter.Error("message", address, from.ToString(), message["id"] ?? "", RequiredOtr.Condition, text, RequiredOtr.Type));

    private async ValueTask AnswerAsync(string peer, string xml)
    {
        if (_budget.TrySpend(peer)) await stream.WriteAsync(xml);
    }
}
