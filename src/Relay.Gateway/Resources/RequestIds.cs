namespace Relay.Gateway.Resources;

/// <summary>
/// A bot's request ids and a bridge's message ids are two spaces, but one set of seen ids per conversation: a prefix
/// keeps a bridge's "1" from being taken for a bot's.
/// </summary>
internal static class RequestIds
{
    private const string Bot = "b:";
    private const string Bridge = "w:";

    public static string OfBot(string requestId) => Bot + requestId;

    public static string OfBridge(string messageId) => Bridge + messageId;

    /// <summary>The id as its caller gave it.</summary>
    public static string OfCaller(string id) =>
        id.StartsWith(Bot, StringComparison.Ordinal) || id.StartsWith(Bridge, StringComparison.Ordinal) ? id[2..] : id;
}
