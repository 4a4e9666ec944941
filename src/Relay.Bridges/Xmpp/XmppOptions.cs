namespace Relay.Bridges.Xmpp;

/// <summary>Whose subscription to the presence of endpoints is accepted.</summary>
public enum SubscriptionPolicy
{
    /// <summary>Everybody's.</summary>
    All,
    /// <summary>That of the domains in <see cref="XmppOptions.SubscriptionDomains"/>.</summary>
    Domains,
    /// <summary>Nobody's.</summary>
    Nobody,
}

/// <summary>How the XMPP bridge connects as an external component (XEP-0114), and what it answers by itself.</summary>
public sealed record XmppOptions
{
    /// <summary>The server's host name or address.</summary>
    public required string Host { get; init; }

    /// <summary>The server's port for components.</summary>
    public required int Port { get; init; }

    /// <summary>The component's domain: it carries the endpoints whose account is in it.</summary>
    public required string Domain { get; init; }

    /// <summary>Reads the secret for each connection, so that a corrected file takes effect without a restart.</summary>
    public required Func<string> Secret { get; init; }

    /// <summary>TLS from the first byte, the certificate checked against <see cref="Host"/>. Prosody has none for components.</summary>
    public bool Tls { get; init; }

    /// <summary>Permits a connection without TLS to another machine, for a link that is protected by other means.</summary>
    public bool AllowCleartext { get; init; }

    /// <summary>Whose subscriptions are accepted.</summary>
    public SubscriptionPolicy Subscriptions { get; init; } = SubscriptionPolicy.All;

    /// <summary>For <see cref="SubscriptionPolicy.Domains"/>.</summary>
    public IReadOnlyList<string> SubscriptionDomains { get; init; } = [];

    /// <summary>
    /// Asks peers' programs for receipts (XEP-0184) of bots' messages, which become delivered by them. Each costs a commit of Relay, and
    /// tells the servers on the way that it was read by a program.
    /// </summary>
    public bool AsksForReceipts { get; init; }

    /// <summary>The clock for timeouts.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
