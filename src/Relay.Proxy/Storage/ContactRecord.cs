using System.Text.Json.Serialization;

namespace Relay.Proxy.Storage;

/// <summary>What is kept on disk about a contact, beside its fingerprints, which are in libotr's file.</summary>
internal sealed class ContactRecord
{
    /// <summary>Normalised.</summary>
    public required string Address { get; init; }

    /// <summary>Nothing goes to the contact in the clear.</summary>
    public bool IsPrivate { get; set; }

    /// <summary>Keys that texts may go to although they are not verified: the first one, and those that the person accepted.</summary>
    public HashSet<string> Accepted { get; init; } = [];

    /// <summary>The key of the latest session; empty if there was none.</summary>
    public string LatestKey { get; set; } = "";

    /// <summary>The highest version of OTR that was spoken; below it nothing is spoken.</summary>
    public byte HighestVersion { get; set; }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(List<ContactRecord>))]
[JsonSerializable(typeof(Dictionary<string, int>))]
internal sealed partial class StorageJson : JsonSerializerContext;
