using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Otr.Core.Keys;

/// <summary>
/// Java properties of Jitsi and ChatSecure: a line <c>name=value</c> whose name ends in <c>privateKey</c> and whose value is a PKCS
/// #8 key in base64. The name before that tells the account, as the program wrote it.
/// </summary>
internal static class PropertiesKeyFile
{
    private const string Format = "Java properties (Jitsi, ChatSecure)";
    private const string Ending = "privateKey";
    private const string JitsiPrefix = "net.java.sip.communicator.plugin.otr.";

    /// <summary>Null if no line has a private key.</summary>
    public static OtrKeyFileContent? TryRead(ReadOnlySpan<byte> text)
    {
        var keys = new List<LibotrAccountKey>();
        var problems = new List<OtrKeyFileProblem>();
        var lines = new LibotrLines(text);
        while (lines.TryRead(out var line) && keys.Count + problems.Count < LibotrFileLimits.MaxPrivateKeys)
        {
            var at = line.IndexOf((byte)'=');
            if (at < 0 || LibotrLines.Text(line[..at].Trim((byte)' ')) is not { } name) continue;
            if (!name.EndsWith(Ending, StringComparison.OrdinalIgnoreCase)) continue;
            var account = name[..^Ending.Length].TrimEnd('.', '_');
            if (account.StartsWith(JitsiPrefix, StringComparison.Ordinal)) account = account[JitsiPrefix.Length..];
            var reason = $"line {lines.Number}: its value is no DSA key in PKCS #8; it was passed over";
            if (TryReadPkcs8(line[(at + 1)..], out var key)) keys.Add(new LibotrAccountKey(account, "", key));
            else problems.Add(new OtrKeyFileProblem(account, "", reason));
        }
        return keys.Count + problems.Count > 0 ? new(Format, keys, problems) : null;
    }

    private static bool TryReadPkcs8(ReadOnlySpan<byte> value, [NotNullWhen(true)] out DsaPrivateKey? key)
    {
        key = null;
        // Properties escape '=' and ':' by a backslash.
        var base64 = Encoding.Latin1.GetString(value).Replace("\\", "", StringComparison.Ordinal).Trim();
        var bytes = new byte[base64.Length];
        if (base64.Length > 2 * SerializedKey.MaxBytes || !Convert.TryFromBase64String(base64, bytes, out var length)) return false;
        DSAParameters numbers = default;
        try
        {
            using var dsa = DSA.Create();
            dsa.ImportPkcs8PrivateKey(bytes.AsSpan(0, length), out _);
            numbers = dsa.ExportParameters(true);
            return DsaPrivateKey.TryImport(numbers.P, numbers.Q, numbers.G, numbers.Y, numbers.X, out key);
        }
        catch (CryptographicException)
        {
            return false;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
            CryptographicOperations.ZeroMemory(numbers.X);
        }
    }
}
