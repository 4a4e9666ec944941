using System.Text.Json;
using Otr.Core.Crypto.Ed448;

namespace Otr.Core.Tests.V4;

/// <summary>
/// A case of the OTRv4 vectors in Vectors/. They were made with otr4j and recomputed by an independent program in Python (and, for the
/// curve, with libgoldilocks); every file says in <c>confirmed</c> who agrees. Bytes are hex.
/// </summary>
internal sealed class Vector(JsonElement json)
{
    public static IEnumerable<Vector> Of(string file, string list)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(PathOf(file)));
        return [.. document.RootElement.GetProperty(list).EnumerateArray().Select(e => new Vector(e.Clone()))];
    }

    /// <summary>The file as a whole, for what stands beside its lists.</summary>
    public static Vector Of(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(PathOf(file)));
        return new Vector(document.RootElement.Clone());
    }

    public Vector Part(string name) => new(json.GetProperty(name));

    public IEnumerable<Vector> Parts(string name) => json.GetProperty(name).EnumerateArray().Select(e => new Vector(e));

    /// <summary>A text, or a list of them.</summary>
    public string[] TextOrTexts(string name) =>
        json.GetProperty(name).ValueKind == JsonValueKind.String ? [Text(name)] : Texts(name);

    private static string PathOf(string file) => Path.Combine(AppContext.BaseDirectory, "V4", "Vectors", file + ".json");

    public bool Has(string name) => json.TryGetProperty(name, out _);

    public byte[] Bytes(string name) => Convert.FromHexString(Text(name));

    public byte[][] List(string name) => [.. json.GetProperty(name).EnumerateArray().Select(e => Convert.FromHexString(e.GetString()!))];

    public string[] Texts(string name) => [.. json.GetProperty(name).EnumerateArray().Select(e => e.GetString()!)];

    public string Text(string name) => json.GetProperty(name).GetString()!;

    public int Number(string name) => json.GetProperty(name).GetInt32();

    public bool Flag(string name) => json.GetProperty(name).GetBoolean();

    /// <summary>What the case is about.</summary>
    public string Note => Has("note") ? Text("note") : json.ToString()[..Math.Min(200, json.ToString().Length)];

    public Ed448Scalar Scalar(string name) => Ed448Scalar.Reduce(Bytes(name));

    /// <summary>A point that the product accepts; or the identity, which it only computes.</summary>
    public Ed448Point Point(string name) => Points.Of(Bytes(name));
}

internal static class Points
{
    private static readonly byte[] IdentityEncoding = [1, .. new byte[Ed448Point.Size - 1]];

    public static Ed448Point Of(byte[] encoding)
    {
        if (encoding.AsSpan().SequenceEqual(IdentityEncoding)) return Ed448Point.Base.Subtract(Ed448Point.Base);
        Assert.True(Ed448Point.TryDecode(encoding, out var point));
        return point;
    }

    public static byte[] Encode(this Ed448Scalar scalar)
    {
        var encoding = new byte[Ed448Scalar.Size];
        scalar.Encode(encoding);
        return encoding;
    }
}
