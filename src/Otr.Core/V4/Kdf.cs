using System.Security.Cryptography;
using Otr.Core.Crypto.Ed448;
using Shake256 = Otr.Core.Crypto.Ed448.Shake256;

namespace Otr.Core.V4;

/// <summary>
/// The usage ids of version 4 (specification, "Key Derivation Functions"); <see cref="Auth"/> is what a ring signature hashes.
/// </summary>
internal enum KdfUsage : byte
{
    Fingerprint = 0x00,
    ThirdBraceKey = 0x01,
    BraceKey = 0x02,
    SharedSecret = 0x03,
    Ssid = 0x04,
    AuthRBobClientProfile = 0x05,
    AuthRAliceClientProfile = 0x06,
    AuthRPhi = 0x07,
    AuthIBobClientProfile = 0x08,
    AuthIAliceClientProfile = 0x09,
    AuthIPhi = 0x0A,
    FirstRootKey = 0x0B,
    TmpKey = 0x0C,
    AuthMacKey = 0x0D,
    NonIntAuthBobClientProfile = 0x0E,
    NonIntAuthAliceClientProfile = 0x0F,
    NonIntAuthPhi = 0x10,
    AuthMac = 0x11,
    RootKey = 0x12,
    ChainKey = 0x13,
    NextChainKey = 0x14,
    MessageKey = 0x15,
    MacKey = 0x16,
    ExtraSymmetricKey = 0x17,
    Authenticator = 0x18,
    SmpSecret = 0x19,
    Auth = 0x1A,
}

/// <summary>
/// KDF, HWC and HCMAC of version 4, which are one function: the first bytes of SHAKE-256("OTRv4" ‖ usage ‖ values). Nothing separates the
/// values: callers give encodings of fixed length, or with their length.
/// </summary>
internal static class Kdf
{
    /// <summary>A hash that has taken prefix and usage; the caller absorbs the values, squeezes and disposes.</summary>
    public static Shake256 Begin(KdfUsage usage) => Begin((byte)usage);

    /// <summary>For the numbers that are not in the table: hashes of SMP proofs, and the places of TLVs in derived extra keys.</summary>
    public static Shake256 Begin(byte usage)
    {
        var shake = new Shake256();
        shake.Absorb("OTRv4"u8);
        shake.Absorb(usage);
        return shake;
    }

    /// <summary>result = KDF(usage ‖ values, its length).</summary>
    public static void Derive(
        KdfUsage usage, Span<byte> result, ReadOnlySpan<byte> value1, ReadOnlySpan<byte> value2 = default,
            ReadOnlySpan<byte> value3 = default)
    {
        using var shake = Begin(usage);
        shake.Absorb(value1);
        shake.Absorb(value2);
        shake.Absorb(value3);
        shake.Squeeze(result);
    }

    /// <summary>HashToScalar: 57 bytes of a hash that has taken everything, little-endian, mod q. The caller disposes both.</summary>
    public static Ed448Scalar ToScalar(ref Shake256 shake)
    {
        Span<byte> hash = stackalloc byte[Ed448Scalar.Size];
        shake.Squeeze(hash);
        var scalar = Ed448Scalar.Reduce(hash);
        CryptographicOperations.ZeroMemory(hash);
        return scalar;
    }
}
