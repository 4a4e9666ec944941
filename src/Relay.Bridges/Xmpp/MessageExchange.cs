using System.Text;

namespace Relay.Bridges.Xmpp;

/// <summary>The messages of one connection, however it was made: what is read from them, and what is written into them.</summary>
/// <param name="id">Of the connection; no other has it. Messages are numbered below it.</param>
internal sealed class MessageExchange(
    XmppBridgeOptions options, EndpointDirectory endpoints, SessionResources resources, SentStanzas sentStanzas, IBridgeInbox inbox,
    KeepAlive keepAlive, string id)
{
    private readonly AutomaticBudget _sentences = new(XmppLimits.SentencesPerMinute, options.Time);
    private long _received, _sent;

    /// <summary>Writes a stanza.</summary>
    public required Func<string, Task> Write { get; init; }

    /// <summary>The sender's full address for an endpoint's address.</summary>
    public required Func<string, string> Sender { get; init; }

    /// <summary>Tells the sender of a message (and its address) that no endpoint has the address that it went to.</summary>
    public required Func<XmppElement, Jid, string, ValueTask> Refuse { get; init; }

    /// <summary>
    /// Returns a message, to its sender, that went to an address which carries only OTR, with a sentence that says so.
    /// </summary>
    public required Func<XmppElement, Jid, string, string, ValueTask> RefuseClear { get; init; }

    /// <summary>Acts upon a message from the network.</summary>
    /// <param name="address">The normalised bare address that it went to.</param>
    /// <param name="messageId">Null: the connection's own.</param>
    /// <param name="settled">Called once nothing of the message can be lost any more; null: nobody asks.</param>
    public async ValueTask ReceiveAsync(
        XmppElement message, Jid from, string address, string? messageId, Action? settled, CancellationToken cancellation)
    {
        var endpoint = endpoints.NameOf(address);
        switch (InboundRules.Decide(message, from, endpoint is not null, options.Time.GetUtcNow()))
        {
            case InboundDecision.Text text when options.RequiresOtr && !RequiredOtr.LetsIn(text.Otr):
                await RefuseClear(message, from, address, RequiredOtr.Text);
                break;
            case InboundDecision.Text text when endpoint is not null:
                if (text.Otr.Kind == OtrTextKind.Error && resources.IsErrorOfOther(endpoint, from)) break;
                resources.Heard(endpoint, from, text.Otr);
                messageId ??= $"{id}-{Interlocked.Increment(ref _received)}";
                await keepAlive.DuringAsync(inbox.ReceiveAsync(
                    new InboundText(endpoint, from.Bare.ToString(), messageId, Encoding.UTF8.GetBytes(text.Value))
                    {
                        NetworkTime = text.Stamp, Settled = settled,
                    }, cancellation));
                return;
            case InboundDecision.Received received when sentStanzas.Receive(received.Id, endpoint!, from) is { } confirmed:
                inbox.Confirm(endpoint!, confirmed);
                break;
            case InboundDecision.Bounced bounced when endpoint is not null:
                sentStanzas.Bounce(message["id"] ?? "", endpoint, from, bounced.Condition);
                resources.Left(endpoint, from);
                resources.GiveUp(endpoint, from);
                break;
            case InboundDecision.ClearRefused when endpoint is not null:
                sentStanzas.RefuseClear(endpoint, from.Domain);
                break;
            case InboundDecision.Sentence sentence when options.RequiresOtr:
                await RefuseClear(message, from, address, sentence.Value);
                break;
            case InboundDecision.Sentence sentence when _sentences.TrySpend(from.Bare.ToString()):
                await Write(Stanza(address, from, NextId(), sentence.Value, isOtr: false));
                break;
            case InboundDecision.NoSuchEndpoint:
                await Refuse(message, from, address);
                break;
        }
        settled?.Invoke();
    }

    /// <summary>
    /// Writes a wire text, and completes when the server certainly has it: what it refuses at once has come back by then. What a server far
    /// away refuses later, after this one has taken it, is not waited for.
    /// </summary>
    /// <param name="from">The endpoint's address.</param>
    /// <param name="text">What the body is of.</param>
    /// <param name="carry">Writes a stanza, and tells whether the server has it.</param>
    public async Task<Carried> SendAsync(string from, Jid to, string body, bool isOtr, OutboundText text, Func<string, Task<bool>> carry)
    {
        var receiptOf = options.AsksForReceipts ? text.Message : null;
        var stanza = NextId();
        sentStanzas.Add(stanza, text.Endpoint, to, isClear: !isOtr, receiptOf);
        if (await carry(Stanza(from, to, stanza, body, isOtr, receiptOf is not null, text.FileUrl)))
            return sentStanzas.Confirm(stanza) is { } failure ? Carried.RefusedFor(failure) : Carried.Taken;
        sentStanzas.Forget(stanza);
        return Carried.Unknown;
    }

    private string Stanza(string from, Jid to, string stanza, string body, bool isOtr, bool asksForReceipt = false, string? url = null) =>
        StanzaWriter.Message(Sender(from), to.ToString(), stanza, body, isOtr, asksForReceipt, url);

    private string NextId() => $"{id}-{Interlocked.Increment(ref _sent)}";
}
