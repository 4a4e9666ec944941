using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Otr.Core;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Api;

/// <summary>
/// Formats and parses the API's resource names: <c>endpoints/{e}</c>, <c>endpoints/{e}/status</c>, <c>endpoints/{e}/subscriptions/{s}</c>,
/// <c>endpoints/{e}/files/{f}</c>,
/// <c>endpoints/{e}/conversations/{c}</c>, below these
/// <c>…/identities/{fingerprint}</c>, <c>…/verifications/{number}</c> and <c>…/messages/{message}</c>, and <c>apiKeys/{k}</c>.
/// </summary>
internal static class ResourceNames
{
    private const string Endpoints = "endpoints/";
    private const string Status = "/status";
    private const string Subscriptions = "/subscriptions/";
    private const string Conversations = "/conversations/";
    private const string Identities = "/identities/";
    private const string Verifications = "/verifications/";
    private const string Messages = "/messages/";
    private const string Files = "/files/";
    private const string ApiKeys = "apiKeys/";
    private const int KeyedIdLength = 26;
    private const int MaxKeyIdLength = 64;

    public static string Endpoint(string id) => Endpoints + id;

    public static string Conversation(string endpointId, string conversationId) =>
        $"{Endpoints}{endpointId}{Conversations}{conversationId}";

    public static string Identity(string endpointId, string conversationId, Fingerprint fingerprint) =>
        Conversation(endpointId, conversationId) + Identities + fingerprint.ToHex();

    public static string Verification(string endpointId, string conversationId, ulong number) =>
        string.Create(CultureInfo.InvariantCulture, $"{Conversation(endpointId, conversationId)}{Verifications}{number}");

    public static string Message(string endpointId, string conversationId, string messageId) =>
        $"{Endpoints}{endpointId}{Conversations}{conversationId}{Messages}{messageId}";

    public static string ApiKey(string id) => ApiKeys + id;

    public static bool TryParseEndpoint(string name, [NotNullWhen(true)] out string? id)
    {
        id = name.StartsWith(Endpoints, StringComparison.Ordinal) ? name[Endpoints.Length..] : null;
        if (id is not null && IsEndpointId(id)) return true;
        id = null;
        return false;
    }

    /// <summary>Parses an endpoint's name, or the beginning of names followed by an asterisk.</summary>
    public static bool TryParseEndpointPattern(string name, [NotNullWhen(true)] out string? pattern)
    {
        pattern = name.StartsWith(Endpoints, StringComparison.Ordinal) ? name[Endpoints.Length..] : null;
        if (pattern is not null && Auth.EndpointPatterns.IsValid(pattern)) return true;
        pattern = null;
        return false;
    }

    public static string EndpointStatus(string id) => Endpoint(id) + Status;

    public static bool TryParseEndpointStatus(string name, [NotNullWhen(true)] out string? id)
    {
        id = null;
        return name.EndsWith(Status, StringComparison.Ordinal) && TryParseEndpoint(name[..^Status.Length], out id);
    }

    public static string Subscription(string endpointId, string id) => Endpoint(endpointId) + Subscriptions + id;

    public static bool TryParseSubscription(
        string name, [NotNullWhen(true)] out string? endpointId, [NotNullWhen(true)] out string? id)
    {
        (endpointId, id) = (null, null);
        int at = name.IndexOf(Subscriptions, StringComparison.Ordinal);
        if (at < 0 || !TryParseEndpoint(name[..at], out endpointId)) return false;
        id = name[(at + Subscriptions.Length)..];
        return IsEndpointId(id);
    }

    public static string File(string endpointId, string id) => Endpoint(endpointId) + Files + id;

    public static bool TryParseFile(string name, [NotNullWhen(true)] out string? endpointId, [NotNullWhen(true)] out string? id)
    {
        (endpointId, id) = (null, null);
        int at = name.IndexOf(Files, StringComparison.Ordinal);
        if (at < 0 || !IsKeyedId(name[(at + Files.Length)..]) || !TryParseEndpoint(name[..at], out endpointId)) return false;
        id = name[(at + Files.Length)..];
        return true;
    }

    public static bool TryParseConversation(
        string name, [NotNullWhen(true)] out string? endpointId, [NotNullWhen(true)] out string? conversationId)
    {
        conversationId = null;
        int at = name.IndexOf(Conversations, StringComparison.Ordinal);
        if (at < 0 || !TryParseEndpoint(name[..at], out endpointId)) { endpointId = null; return false; }
        var id = name[(at + Conversations.Length)..];
        if (!IsKeyedId(id)) return false;
        conversationId = id;
        return true;
    }

    public static bool TryParseMessage(
        string name, [NotNullWhen(true)] out string? endpointId, [NotNullWhen(true)] out string? conversationId,
        [NotNullWhen(true)] out string? messageId)
    {
        (endpointId, conversationId, messageId) = (null, null, null);
        int at = name.IndexOf(Messages, StringComparison.Ordinal);
        if (at < 0 || !IsKeyedId(name[(at + Messages.Length)..])) return false;
        messageId = name[(at + Messages.Length)..];
        return TryParseConversation(name[..at], out endpointId, out conversationId);
    }

    private static bool IsKeyedId(string id) =>
        id.Length == KeyedIdLength && !id.AsSpan().ContainsAnyExcept("abcdefghijklmnopqrstuvwxyz234567");

    public static bool TryParseIdentity(
        string name, [NotNullWhen(true)] out string? endpointId, [NotNullWhen(true)] out string? conversationId,
        out Fingerprint fingerprint)
    {
        (endpointId, conversationId, fingerprint) = (null, null, default);
        int at = name.IndexOf(Identities, StringComparison.Ordinal);
        if (at < 0 || name.AsSpan(at + Identities.Length).ContainsAnyExcept("0123456789abcdef")) return false;
        return Fingerprint.TryParse(name.AsSpan(at + Identities.Length), out fingerprint)
            && TryParseConversation(name[..at], out endpointId, out conversationId);
    }

    public static bool TryParseVerification(
        string name, [NotNullWhen(true)] out string? endpointId, [NotNullWhen(true)] out string? conversationId, out ulong number)
    {
        (endpointId, conversationId, number) = (null, null, 0);
        int at = name.IndexOf(Verifications, StringComparison.Ordinal);
        return at >= 0
            && ulong.TryParse(name.AsSpan(at + Verifications.Length), NumberStyles.None, CultureInfo.InvariantCulture, out number)
            && TryParseConversation(name[..at], out endpointId, out conversationId)
            && name == Verification(endpointId, conversationId, number);
    }

    public static bool TryParseApiKey(string name, [NotNullWhen(true)] out string? id)
    {
        id = name.StartsWith(ApiKeys, StringComparison.Ordinal) && name.Length <= ApiKeys.Length + MaxKeyIdLength
            ? name[ApiKeys.Length..] : null;
        if (id is { Length: > 0 } && id.All(char.IsAsciiLetterOrDigit)) return true;
        id = null;
        return false;
    }

    /// <summary>True for 1 to 63 characters of [a-z0-9-] that begin with a letter.</summary>
    public static bool IsEndpointId(string id) =>
        id.Length is > 0 and <= GatewayLimits.MaxEndpointIdLength && char.IsAsciiLetterLower(id[0])
        && id.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');
}
