using System.Diagnostics.CodeAnalysis;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Api;

/// <summary>The API's resource names: <c>endpoints/{e}</c>, <c>endpoints/{e}/conversations/{c}</c>, <c>apiKeys/{k}</c>.</summary>
internal static class ResourceNames
{
    private const string Endpoints = "endpoints/";
    private const string Conversations = "/conversations/";
    private const string ApiKeys = "apiKeys/";
    private const int ConversationIdLength = 26;
    private const int MaxKeyIdLength = 64;

    public static string Endpoint(string id) => Endpoints + id;

    public static string Conversation(string endpointId, string conversationId) => $"{Endpoints}{endpointId}{Conversations}{conversationId}";

    public static string ApiKey(string id) => ApiKeys + id;

    public static bool TryParseEndpoint(string name, [NotNullWhen(true)] out string? id)
    {
        id = name.StartsWith(Endpoints, StringComparison.Ordinal) ? name[Endpoints.Length..] : null;
        if (id is not null && IsEndpointId(id)) return true;
        id = null;
        return false;
    }

    public static bool TryParseConversation(string name, [NotNullWhen(true)] out string? endpointId, [NotNullWhen(true)] out string? conversationId)
    {
        conversationId = null;
        int at = name.IndexOf(Conversations, StringComparison.Ordinal);
        if (at < 0 || !TryParseEndpoint(name[..at], out endpointId)) { endpointId = null; return false; }
        var id = name[(at + Conversations.Length)..];
        if (id.Length != ConversationIdLength || id.AsSpan().ContainsAnyExcept("abcdefghijklmnopqrstuvwxyz234567")) return false;
        conversationId = id;
        return true;
    }

    public static bool TryParseApiKey(string name, [NotNullWhen(true)] out string? id)
    {
        id = name.StartsWith(ApiKeys, StringComparison.Ordinal) && name.Length <= ApiKeys.Length + MaxKeyIdLength ? name[ApiKeys.Length..] : null;
        if (id is { Length: > 0 } && id.All(char.IsAsciiLetterOrDigit)) return true;
        id = null;
        return false;
    }

    /// <summary>1 to 63 of [a-z0-9-], beginning with a letter.</summary>
    public static bool IsEndpointId(string id) =>
        id.Length is > 0 and <= GatewayLimits.MaxEndpointIdLength && char.IsAsciiLetterLower(id[0])
        && id.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');
}
