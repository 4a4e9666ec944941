using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;

namespace Otr.Core.Keys;

/// <summary>
/// Keys in JSON: keyczar's DSA key (<c>{"publicKey": {"p", "q", "g", "y"}, "x"}</c>, numbers in URL-safe base64), and CoyIM's
/// configuration, whose accounts have <c>"PrivateKeys"</c>, serialized keys in base64.
/// </summary>
internal static class JsonKeyFile
{
    private const string Keyczar = "keyczar's DSA key (ChatSecure, KeySync)", CoyIM = "CoyIM's configuration";

    public static OtrKeyFileContent Read(ReadOnlySpan<byte> text)
    {
        JsonElement root;
        try
        {
            var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = LibotrFileLimits.MaxDepth });
            root = JsonElement.ParseValue(ref reader);
        }
        catch (JsonException)
        {
            const string reason = "it is not readable as JSON; an encrypted configuration has to be exported in the clear first";
            return OtrKeyFile.Nothing("JSON", reason);
        }
        if (IsKeyczar(root))
        {
            return TryReadKeyczar(root, out var key)
                ? new(Keyczar, [new LibotrAccountKey("", "", key)], [])
                : OtrKeyFile.Nothing(Keyczar, "its numbers do not belong together; export the key again");
        }
        var keys = new List<LibotrAccountKey>();
        var problems = new List<OtrKeyFileProblem>();
        Collect(root, keys, problems);
        if (keys.Count + problems.Count > 0) return new(CoyIM, keys, problems);
        return OtrKeyFile.Nothing("JSON", "it holds no DSA key in a known place; export the key from the program that wrote it");
    }

    private static bool IsKeyczar(JsonElement root) =>
        root.ValueKind == JsonValueKind.Object && root.TryGetProperty("x", out _)
        && root.TryGetProperty("publicKey", out var open) && open.ValueKind == JsonValueKind.Object;

    private static bool TryReadKeyczar(JsonElement root, [NotNullWhen(true)] out DsaPrivateKey? key)
    {
        key = null;
        var open = root.GetProperty("publicKey");
        if (!TryNumber(open, "p", out var p) || !TryNumber(open, "q", out var q) || !TryNumber(open, "g", out var g)) return false;
        if (!TryNumber(open, "y", out var y) || !TryNumber(root, "x", out var x)) return false;
        var isRead = DsaPrivateKey.TryImport(p, q, g, y, x, out key);
        CryptographicOperations.ZeroMemory(x);
        return isRead;
    }

    private static bool TryNumber(JsonElement parent, string name, [NotNullWhen(true)] out byte[]? number)
    {
        number = null;
        if (!parent.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.String || value.GetString() is not { } text)
            return false;
        if (text.Length > 2 * LibotrFileLimits.MaxAtomBytes || !Base64Url.IsValid(text)) return false;
        var bytes = Base64Url.DecodeFromChars(text);
        number = bytes.AsSpan().TrimStart((byte)0).ToArray();
        CryptographicOperations.ZeroMemory(bytes);
        return true;
    }

    /// <summary>Accounts wherever they are: objects with PrivateKeys.</summary>
    private static void Collect(JsonElement element, List<LibotrAccountKey> keys, List<OtrKeyFileProblem> problems)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in element.EnumerateArray()) Collect(item, keys, problems);
        }
        else if (element.ValueKind == JsonValueKind.Object)
        {
            var account = element.TryGetProperty("Account", out var name) && name.ValueKind == JsonValueKind.String
                ? name.GetString()!
                : "";
            foreach (var property in element.EnumerateObject())
            {
                if (property.Name == "PrivateKeys" && property.Value.ValueKind == JsonValueKind.Array)
                {
                    foreach (var key in property.Value.EnumerateArray()) Take(account, key, keys, problems);
                }
                else Collect(property.Value, keys, problems);
            }
        }
    }

    private static void Take(string account, JsonElement value, List<LibotrAccountKey> keys, List<OtrKeyFileProblem> problems)
    {
        if (keys.Count + problems.Count >= LibotrFileLimits.MaxPrivateKeys) return;
        byte[]? bytes = null;
        var isRead = value.ValueKind == JsonValueKind.String && value.TryGetBytesFromBase64(out bytes)
            && bytes.Length <= SerializedKey.MaxBytes;
        if (isRead && SerializedKey.TryRead(bytes, out var key)) keys.Add(new LibotrAccountKey(account, "prpl-jabber", key));
        else problems.Add(new OtrKeyFileProblem(account, "prpl-jabber", "a key that is no DSA key, or damaged; it was passed over"));
        if (bytes is not null) CryptographicOperations.ZeroMemory(bytes);
    }
}
