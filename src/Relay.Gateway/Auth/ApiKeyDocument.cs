using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Relay.Gateway.Auth;

/// <summary>
/// Serialises the list of keys as JSON; the file of a single server and the document of a cluster have the same format.
/// </summary>
internal static class ApiKeyDocument
{
    private const int Version = 1;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    public static byte[] Write(ImmutableDictionary<string, ApiKey> keys) =>
        JsonSerializer.SerializeToUtf8Bytes(new Content(Version, [.. keys.Values.OrderBy(k => k.Created)]), s_json);

    /// <exception cref="JsonException">The text is not a valid list of keys; the message says why.</exception>
    public static ImmutableDictionary<string, ApiKey> Read(ReadOnlySpan<byte> text)
    {
        var content = JsonSerializer.Deserialize<Content>(text, s_json) ?? throw new JsonException("The file is empty.");
        if (content.Version != Version) throw new JsonException($"Version {content.Version} is not supported by this version of Relay.");
        foreach (var key in content.Keys)
        {
            if (!IsHash(key.Hash) || (key.PreviousHash is not null && !IsHash(key.PreviousHash)) || key.Scopes is null || !Principal.IsValid(key.Scopes)
                || !key.Scopes.All(Enum.IsDefined) || key.Endpoints is null || !key.Endpoints.All(EndpointPatterns.IsValid))
                throw new JsonException("A key is incomplete.");
        }
        try
        {
            return content.Keys.ToImmutableDictionary(k => k.Id);
        }
        catch (ArgumentException e)
        {
            throw new JsonException("A key id occurs twice.", e);
        }
    }

    private static bool IsHash(string? text) => text is { Length: 64 } && text.All(char.IsAsciiHexDigit);

    private sealed record Content(int Version, IReadOnlyList<ApiKey> Keys);
}
