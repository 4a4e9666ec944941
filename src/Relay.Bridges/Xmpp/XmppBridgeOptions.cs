namespace Relay.Bridges.Xmpp;

/// <summary>Whose subscription to the presence of endpoints is accepted.</summary>
public enum SubscriptionPolicy
{
    /// <summary>Everybody's.</summary>
    All,
    /// <summary>That of the domains in <see cref="XmppBridgeOptions.SubscriptionDomains"/>.</summary>
    Domains,
    /// <summary>Nobody's.</summary>
    Nobody,
}

/// <summary>What an XMPP bridge answers by itself and asks for, however it connects.</summary>
public abstract record XmppBridgeOptions
{
    /// <summary>Whose subscriptions are accepted.</summary>
    public SubscriptionPolicy Subscriptions { get; init; } = SubscriptionPolicy.All;

    /// <summary>For <see cref="SubscriptionPolicy.Domains"/>.</summary>
    public IReadOnlyList<string> SubscriptionDomains { get; init; } = [];

    /// <summary>
    /// Asks peers' programs for receipts (XEP-0184) of bots' messages, which become delivered by them. Each costs a commit of Relay, and
    /// tells the servers on the way that it was read by a program.
    /// </summary>
    public bool AsksForReceipts { get; init; }

    /// <summary>
    /// Asks who subscribes for its presence in return, so that text of a session waits for a device that is away instead of going to the others.
    /// </summary>
    public bool AsksForPresence { get; init; }

    /// <summary>
    /// Carries no text without OTR: what contacts write in the clear is returned to them, and what bots write in the clear is refused. Offers
    /// of a session pass, also a contact's text with a whitespace tag.
    /// </summary>
    public bool RequiresOtr { get; init; }

    /// <summary>The clock for timeouts.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    internal bool MaySubscribe(Jid peer) => Subscriptions switch
    {
        SubscriptionPolicy.All => true,
        SubscriptionPolicy.Domains => SubscriptionDomains.Any(d => Jid.TryDomain(d) == peer.Domain),
        _ => false,
    };
}
