using System.Text;
using System.Text.Json;

namespace Interop.Tests;

/// <summary>One JSON line of a peer.</summary>
public sealed class PeerEvent
{
    private readonly JsonElement _json;

    private PeerEvent(JsonElement json) => _json = json;

    public static PeerEvent Parse(string line)
    {
        using var document = JsonDocument.Parse(line);
        return new PeerEvent(document.RootElement.Clone());
    }

    public string Kind => this["event"]!;

    /// <summary>A field as text; null if it is absent.</summary>
    public string? this[string field] => _json.TryGetProperty(field, out var value) ? value.ToString() : null;

    public byte[] Data => _json.GetProperty("data").GetBytesFromBase64();

    public bool Flag(string field) => _json.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.True;

    public string Text => Encoding.UTF8.GetString(Data);

    public override string ToString() => _json.ToString();
}

/// <summary>What a command caused.</summary>
public sealed record PeerReply(bool Ok, IReadOnlyList<PeerEvent> Events);
