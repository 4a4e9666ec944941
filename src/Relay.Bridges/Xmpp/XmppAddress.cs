namespace Relay.Bridges.Xmpp;

/// <summary>The spelling of addresses by which the XMPP bridge knows endpoints and their peers.</summary>
public static class XmppAddress
{
    /// <summary>The normalised address without its resource; null if the text is no XMPP address.</summary>
    public static string? Bare(string text) => Jid.TryParse(text, out var jid) ? jid.Bare.ToString() : null;
}
