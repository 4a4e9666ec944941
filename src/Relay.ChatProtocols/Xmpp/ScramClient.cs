using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Relay.ChatProtocols.Xmpp;

/// <summary>
/// The client's side of SCRAM (RFC 5802, RFC 7677) without channel binding. The server proves that it knows the password, too.
/// </summary>
public sealed class ScramClient
{
    /// <summary>RFC 7677 asks for at least so many; a server that names fewer wants a password that is cheap to guess.</summary>
    private const int MinIterations = 4096;

    /// <summary>More would be a server that keeps us busy.</summary>
    private const int MaxIterations = 1_000_000;

    private readonly HashAlgorithmName _hash;
    private readonly string _password, _clientNonce, _firstBare;
    private byte[]? _serverSignature;

    private ScramClient(HashAlgorithmName hash, string user, string password, string clientNonce)
    {
        (_hash, _password, _clientNonce) = (hash, password, clientNonce);
        _firstBare = $"n={user.Replace("=", "=3D", StringComparison.Ordinal).Replace(",", "=2C", StringComparison.Ordinal)},r={clientNonce}";
    }

    /// <summary>The mechanisms that are spoken, best first.</summary>
    public static IReadOnlyList<string> Mechanisms { get; } = ["SCRAM-SHA-256", "SCRAM-SHA-1"];

    /// <summary>Begins a login.</summary>
    /// <param name="mechanism">Of <see cref="Mechanisms"/>.</param>
    /// <param name="clientNonce">Printable ASCII without a comma; null: random.</param>
    public static ScramClient Begin(string mechanism, string user, string password, string? clientNonce = null) => new(
        mechanism == "SCRAM-SHA-256" ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA1, user, password,
        clientNonce ?? Convert.ToBase64String(RandomNumberGenerator.GetBytes(18)));

    /// <summary>The first message.</summary>
    public string First => "n,," + _firstBare;

    /// <summary>The answer to the server's first message; null if that is not acceptable.</summary>
    public string? Final(string serverFirst)
    {
        var fields = serverFirst.Split(',');
        if (fields.Length < 3 || !fields[0].StartsWith("r=" + _clientNonce, StringComparison.Ordinal) || fields[0].Length == 2 + _clientNonce.Length
            || !fields[1].StartsWith("s=", StringComparison.Ordinal) || !fields[2].StartsWith("i=", StringComparison.Ordinal)
            || !int.TryParse(fields[2].AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out int iterations)
            || iterations is < MinIterations or > MaxIterations) return null;
        var salt = new byte[fields[1].Length];
        if (!Convert.TryFromBase64String(fields[1][2..], salt, out int saltLength) || saltLength == 0) return null;
        int size = _hash == HashAlgorithmName.SHA256 ? 32 : 20;
        var salted = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(_password), salt.AsSpan(0, saltLength), iterations, _hash, size);
        // "biws" is the GS2 header n,, in base64.
        var withoutProof = $"c=biws,{fields[0]}";
        var message = Encoding.UTF8.GetBytes($"{_firstBare},{serverFirst},{withoutProof}");
        var clientKey = Mac(salted, "Client Key"u8);
        var proof = Mac(CryptographicOperations.HashData(_hash, clientKey), message);
        for (int i = 0; i < proof.Length; i++) proof[i] ^= clientKey[i];
        _serverSignature = Mac(Mac(salted, "Server Key"u8), message);
        CryptographicOperations.ZeroMemory(salted);
        CryptographicOperations.ZeroMemory(clientKey);
        return $"{withoutProof},p={Convert.ToBase64String(proof)}";
    }

    /// <summary>True if the server's last message proves that it knows the password.</summary>
    public bool Verify(string serverFinal)
    {
        var signature = new byte[64];
        return _serverSignature is { } expected && serverFinal.StartsWith("v=", StringComparison.Ordinal)
            && Convert.TryFromBase64String(serverFinal.Split(',')[0][2..], signature, out int length)
            && CryptographicOperations.FixedTimeEquals(signature.AsSpan(0, length), expected);
    }

    private byte[] Mac(byte[] key, ReadOnlySpan<byte> data) => CryptographicOperations.HmacData(_hash, key, data);
}
