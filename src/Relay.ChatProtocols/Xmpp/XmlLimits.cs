namespace Relay.ChatProtocols.Xmpp;

/// <summary>The bounds of XML streams and of addresses, for every reader.</summary>
public static class XmlLimits
{
    /// <summary>Bytes of one stanza that is read; a longer one ends the connection.</summary>
    public const int MaxStanzaBytes = 1024 * 1024;

    /// <summary>Depth of elements in a stanza; a deeper one is dropped.</summary>
    public const int MaxDepth = 64;

    /// <summary>Attributes of one element; a stanza with more is dropped.</summary>
    public const int MaxAttributes = 256;

    /// <summary>Elements of one stanza; a stanza with more is dropped.</summary>
    public const int MaxElements = 4096;

    /// <summary>Characters of all names that one connection has used; their table never shrinks, so the connection is renewed.</summary>
    public const int MaxNameCharacters = 8 * 1024 * 1024;

    /// <summary>Bytes of each of the three parts of an address.</summary>
    public const int MaxJidPartBytes = 1023;
}
