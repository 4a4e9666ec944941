using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Otr.Core;

namespace Relay.Gateway.Auth;

/// <summary>
/// An API key as its holder has it: <c>relay_{id}_{secret}</c>. The id is 16 lowercase base32 characters (80 random bits), the
/// secret 64 lowercase hex digits (256 random bits). The secret cannot be guessed, so a single SHA-256 protects the stored form.
/// </summary>
public sealed class ApiKeyToken
{
    private const string Prefix = "relay_";
    private const string IdAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
    private const int IdLength = 16;
    private const int SecretBytes = 32;
    private readonly string _secret;

    private ApiKeyToken(string id, string secret)
    {
        Id = id;
        _secret = secret;
    }

    /// <summary>The public part, by which the stored key is found.</summary>
    public string Id { get; }

    /// <summary>Generates a token with a new id and secret.</summary>
    public static ApiKeyToken Create(IRandomSource random) => Create(random, NewId(random));

    /// <summary>Generates a token with a new secret for a key that exists.</summary>
    public static ApiKeyToken Create(IRandomSource random, string id)
    {
        Span<byte> secret = stackalloc byte[SecretBytes];
        random.Fill(secret);
        var token = new ApiKeyToken(id, Convert.ToHexStringLower(secret));
        CryptographicOperations.ZeroMemory(secret);
        return token;
    }

    /// <summary>Parses a token; surrounding white space is ignored.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ApiKeyToken? token)
    {
        token = null;
        text = text?.Trim();
        if (text is null || text.Length != Prefix.Length + IdLength + 1 + 2 * SecretBytes) return false;
        if (!text.StartsWith(Prefix, StringComparison.Ordinal) || text[Prefix.Length + IdLength] != '_') return false;
        var id = text.Substring(Prefix.Length, IdLength);
        var secret = text[(Prefix.Length + IdLength + 1)..];
        if (id.AsSpan().ContainsAnyExcept(IdAlphabet) || secret.AsSpan().ContainsAnyExcept("0123456789abcdef")) return false;
        token = new ApiKeyToken(id, secret);
        return true;
    }

    /// <summary>SHA-256 of the secret's text: 32 bytes.</summary>
    public byte[] Hash() => SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(_secret));

    /// <summary>The whole token including its secret. Only for output to the holder.</summary>
    public string Reveal() => $"{Prefix}{Id}_{_secret}";

    /// <summary>Prints the id only.</summary>
    public override string ToString() => $"ApiKeyToken {{ {Id} }}";

    private static string NewId(IRandomSource random)
    {
        Span<byte> bytes = stackalloc byte[IdLength];
        random.Fill(bytes);
        return string.Create(IdLength, bytes.ToArray(), static (span, b) =>
        {
            for (int i = 0; i < span.Length; i++) span[i] = IdAlphabet[b[i] & 31];
        });
    }
}
