namespace Relay.Bridges.Irc;

/// <summary>Every bound of the IRC bridge. What a server announces in 005 replaces the protocol's values where that is safe.</summary>
internal static class IrcLimits
{
    /// <summary>Bytes of text in a line while neither user name nor host of the own prefix is known or bounded by the server.</summary>
    public const int TextBytesUnknownPrefix = 350;
    /// <summary>Bytes that a line stays below its limit, for a nick or host that changes while a text is under way.</summary>
    public const int MarginBytes = 16;
    /// <summary>Smallest budget that is worth a line; a server whose limits leave less is refused.</summary>
    public const int LeastTextBytes = 64;
    public const int DefaultUserBytes = 11;
    public const int DefaultHostBytes = 64;
    public const int DefaultNickBytes = 31;

    /// <summary>Lines that one wire text may become; more is refused.</summary>
    public const int LinesPerText = 400;
    /// <summary>Peers whose names a connection remembers.</summary>
    public const int Peers = 10_000;
    /// <summary>Peers with an OTR message whose rest is awaited (a gateway has split the line).</summary>
    public const int OpenTexts = 256;
    /// <summary>Bytes of an OTR message that is put together from split lines.</summary>
    public const int JoinedBytes = 65_536;
    /// <summary>Open history batches that are followed.</summary>
    public const int Batches = 64;
    /// <summary>Received messages that wait for the worker; the connection is not read further while there are so many.</summary>
    public const int InboxDepth = 1_024;
    /// <summary>Lines written between two acknowledging PINGs while more lines wait.</summary>
    public const int LinesPerPing = 4;
    /// <summary>Redirects (010) that are followed one after the other.</summary>
    public const int Redirects = 3;
    /// <summary>Bytes of a SASL response in one AUTHENTICATE.</summary>
    public const int SaslPiece = 400;
    /// <summary>Capabilities and tokens of 005 that are remembered.</summary>
    public const int Tokens = 512;
    /// <summary>Bytes of a <c>msgid</c> that is taken over as message id (Relay's bound of 128 bytes).</summary>
    public const int MessageIdBytes = 128;
    /// <summary>Characters of a server's own words in a reason for the operator.</summary>
    public const int QuotedCharacters = 200;
}
