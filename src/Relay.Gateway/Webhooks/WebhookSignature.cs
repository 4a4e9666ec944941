using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Relay.Gateway.Webhooks;

/// <summary>
/// Signs the body of a webhook as Standard Webhooks 1.0 has it: HMAC-SHA-256 over <c>id.timestamp.body</c>. Receivers compare in constant
/// time, and refuse a timestamp that is more than some minutes off.
/// </summary>
public static class WebhookSignature
{
    internal const string IdHeader = "webhook-id", TimestampHeader = "webhook-timestamp", SignatureHeader = "webhook-signature";

    /// <summary>The beginning of a secret in text form; base64 follows.</summary>
    public const string SecretPrefix = "whsec_";

    private const string Version = "v1,";

    /// <param name="secrets">Each signs: while a secret is changed, receivers may know either.</param>
    public static string Sign(IEnumerable<byte[]> secrets, string id, long timestamp, ReadOnlySpan<byte> body)
    {
        var head = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}."));
        byte[] signed = [.. head, .. body];
        return string.Join(' ', secrets.Select(secret => Version + Convert.ToBase64String(HMACSHA256.HashData(secret, signed))));
    }

    /// <summary>Makes a secret of 32 random bytes.</summary>
    public static string MakeSecret() => SecretPrefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    /// <summary>Reads a secret: <c>whsec_</c> and 24 to 64 bytes in base64.</summary>
    public static byte[]? TryParseSecret(string text)
    {
        if (!text.StartsWith(SecretPrefix, StringComparison.Ordinal) || text.Length > 128) return null;
        var bytes = new byte[96];
        return Convert.TryFromBase64String(text[SecretPrefix.Length..], bytes, out int length) && length is >= 24 and <= 64
            ? bytes[..length] : null;
    }
}
