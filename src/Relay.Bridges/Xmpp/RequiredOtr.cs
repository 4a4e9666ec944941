namespace Relay.Bridges.Xmpp;

/// <summary>
/// The rule of a bridge that carries no text without OTR (<see cref="XmppBridgeOptions.RequiresOtr"/>), as servers have it with Prosody's
/// <c>mod_otr</c> and <c>mod_require_otr</c>; the error is that of the latter.
/// </summary>
internal static class RequiredOtr
{
    /// <summary>The error's condition and type (RFC 6120, 8.3.3.12): the sender may send it again, encrypted.</summary>
    public const string Condition = "policy-violation", Type = "modify";

    /// <summary>What a contact reads whose text was in the clear.</summary>
    public const string Text = "OTR encryption is required for conversations with this address. Your message was not delivered: start a "
        + "private conversation (OTR) and send it again.";

    /// <summary>
    /// Whether a contact's text may pass. One with a whitespace tag offers a session, and has crossed the network already.
    /// </summary>
    public static bool LetsIn(OtrText otr) => otr.Kind != OtrTextKind.Plain;

    /// <summary>Whether a wire text of Relay may pass: a tag does not hide the text before it.</summary>
    public static bool LetsOut(OtrText otr, string body) =>
        otr.IsOtr || (otr.Kind == OtrTextKind.Tagged && string.IsNullOrWhiteSpace(OtrText.WithoutTag(body)));
}
