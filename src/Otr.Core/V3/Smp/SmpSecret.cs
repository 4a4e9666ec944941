using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Otr.Core.V3.Smp;

/// <summary>The number that the two sides compare (spec v3, "Socialist Millionaires' Protocol", x and y).</summary>
internal static class SmpSecret
{
    /// <summary>Length in bytes.</summary>
    public const int Size = SHA256.HashSizeInBytes;

    private const byte Version = 0x01;

    /// <summary>
    /// SHA-256(0x01 ‖ initiator fingerprint ‖ responder fingerprint ‖ ssid ‖ user secret), big-endian. The roles are those
    /// of SMP, whoever started the key exchange.
    /// </summary>
    /// <param name="ssid">The secure session id as one big-endian number.</param>
    /// <param name="userSecret">At most <see cref="OtrLimits.MaxSmpSecretBytes"/>, taken as they are: nothing is normalised.</param>
    /// <param name="destination">32 bytes; the caller wipes them.</param>
    /// <exception cref="ArgumentException">The secret is too long.</exception>
    public static void Derive(Fingerprint initiator, Fingerprint responder, ulong ssid, ReadOnlySpan<byte> userSecret, Span<byte> destination)
    {
        if (userSecret.Length > OtrLimits.MaxSmpSecretBytes)
            throw new ArgumentException($"An SMP secret has at most {OtrLimits.MaxSmpSecretBytes} bytes.", nameof(userSecret));
        const int Head = 1 + 2 * Fingerprint.DsaSize + sizeof(ulong);
        Span<byte> input = stackalloc byte[Head + OtrLimits.MaxSmpSecretBytes];
        input = input[..(Head + userSecret.Length)];
        input[0] = Version;
        initiator.CopyTo(input[1..]);
        responder.CopyTo(input[(1 + Fingerprint.DsaSize)..]);
        BinaryPrimitives.WriteUInt64BigEndian(input[(1 + 2 * Fingerprint.DsaSize)..], ssid);
        userSecret.CopyTo(input[Head..]);
        SHA256.HashData(input, destination[..Size]);
        CryptographicOperations.ZeroMemory(input);
    }
}
