using System.Diagnostics.CodeAnalysis;
using Otr.Core.Crypto.Ed448;
using Otr.Core.Wire;

namespace Otr.Core.V4.Profiles;

/// <summary>The fields of a client profile, in the only order that is taken.</summary>
internal enum ProfileField : ushort
{
    OwnerTag = 1,
    IdentityKey = 2,
    ForgingKey = 3,
    Versions = 4,
    Expiry = 5,
    DsaKey = 6,
    TransitionalSignature = 7,
}

/// <summary>Why a profile was refused.</summary>
internal enum ProfileFault
{
    None,
    /// <summary>Fields are missing, doubled, unknown, not in ascending order, cut or of a wrong type.</summary>
    Malformed,
    /// <summary>The owner's tag is below 0x100, or not that of the message's sender.</summary>
    OwnerTag,
    /// <summary>Not 1 to 9 digits, without 4, or with 1 or 2; or with 3 and no DSA key.</summary>
    Versions,
    Expired,
    /// <summary>It would be believed for longer than <see cref="OtrLimits.MaxProfileLifetime"/>.</summary>
    LifetimeTooLong,
    IdentityKey,
    Signature,
    ForgingKey,
    DsaKey,
    TransitionalSignature,
}

/// <summary>
/// Reads and validates a client profile (specification, "Validating a Client Profile"; checklist C4). Profiles are taken in ascending order
/// of their fields only: implementations differ in what they sign where the order is another. The checks that cost nothing come first.
/// </summary>
internal static class ClientProfileReader
{
    /// <summary>Fields 1 to 5; with the DSA key and its signature, which come together, 1 to 7.</summary>
    public const uint FieldsWithoutDsa = 5, FieldsWithDsa = 7;

    /// <summary>Bytes of a profile without DSA key whose versions are "4".</summary>
    public const int ShortProfileSize = 263;

    /// <summary>The type of a DSA key, as in version 3.</summary>
    public const ushort DsaKeyType = 0;

    /// <summary>ED448-PUBKEY and ED448-FORGING-KEY: little-endian, unlike everything else.</summary>
    public static ReadOnlySpan<byte> IdentityKeyType => [0x10, 0];

    /// <inheritdoc cref="IdentityKeyType"/>
    public static ReadOnlySpan<byte> ForgingKeyType => [0x12, 0];

    /// <summary>Reads a profile; false if it is refused, and then the reader has failed as well.</summary>
    /// <param name="reader">Stands at the number of fields; afterwards behind the signature.</param>
    /// <param name="senderTag">The sender's tag in the message that carries the profile.</param>
    /// <param name="now">Unix time in seconds.</param>
    /// <param name="maxLifetime">The longest time from now until expiry, in seconds.</param>
    public static bool TryRead(
        ref OtrReader reader, uint senderTag, long now, [NotNullWhen(true)] out ClientProfile? profile, out ProfileFault fault,
        long maxLifetime = OtrLimits.MaxProfileLifetime)
    {
        fault = Validate(ref reader, senderTag, now, maxLifetime, out profile);
        if (fault != ProfileFault.None) reader.Fail();
        return fault == ProfileFault.None;
    }

    /// <summary>
    /// 1 to 9 digits, 4 among them, 1 and 2 not. Digits that are no version yet are to be ignored; letters are refused, see C4.6.
    /// </summary>
    public static bool AreVersions(ReadOnlySpan<byte> versions) =>
        versions.Length is > 0 and <= OtrLimits.MaxProfileVersionsBytes
        && !versions.ContainsAnyExceptInRange((byte)'0', (byte)'9')
        && versions.Contains((byte)'4')
        && !versions.ContainsAny((byte)'1', (byte)'2');

    private static ProfileFault Validate(ref OtrReader reader, uint senderTag, long now, long maxLifetime, out ClientProfile? profile)
    {
        profile = null;
        int begin = reader.Position;
        var whole = reader.Remaining;
        // Types strictly ascend, 1 to 5 are there, 6 and 7 both or neither: they are 1, 2, … n.
        uint n = reader.ReadUInt32();
        if (n is not (FieldsWithoutDsa or FieldsWithDsa)) return ProfileFault.Malformed;
        int first = reader.Position - begin;
        Expect(ref reader, ProfileField.OwnerTag);
        uint ownerTag = reader.ReadUInt32();
        Expect(ref reader, ProfileField.IdentityKey);
        var identityBytes = ReadKey(ref reader, IdentityKeyType);
        Expect(ref reader, ProfileField.ForgingKey);
        var forgingBytes = ReadKey(ref reader, ForgingKeyType);
        Expect(ref reader, ProfileField.Versions);
        var versions = reader.ReadData();
        Expect(ref reader, ProfileField.Expiry);
        long expiry = (long)reader.ReadUInt64();
        ReadOnlySpan<byte> p = default, q = default, g = default, y = default, transitional = default;
        int transitionalFrom = 0;
        if (n == FieldsWithDsa)
        {
            Expect(ref reader, ProfileField.DsaKey);
            if (reader.ReadUInt16() != DsaKeyType) reader.Fail();
            p = reader.ReadMpi();
            q = reader.ReadMpi();
            g = reader.ReadMpi();
            y = reader.ReadMpi();
            transitionalFrom = reader.Position - begin;
            Expect(ref reader, ProfileField.TransitionalSignature);
            transitional = reader.ReadFixed(DsaPublicKey.SignatureSize);
        }
        int end = reader.Position - begin;
        var signature = reader.ReadFixed(Ed448Signature.Size);
        if (reader.Failed) return ProfileFault.Malformed;

        if (ownerTag < MessageHeader.MinInstanceTag || ownerTag != senderTag) return ProfileFault.OwnerTag;
        if (!AreVersions(versions) || (versions.Contains((byte)'3') && n != FieldsWithDsa)) return ProfileFault.Versions;
        if (now >= expiry) return ProfileFault.Expired;
        if (expiry - now > maxLifetime) return ProfileFault.LifetimeTooLong;
        if (!Ed448Point.TryDecode(identityBytes, out var identityKey)) return ProfileFault.IdentityKey;
        if (!Ed448Signature.Verify(identityKey, whole[first..end], signature)) return ProfileFault.Signature;
        if (!Ed448Point.TryDecode(forgingBytes, out var forgingKey)) return ProfileFault.ForgingKey;
        DsaPublicKey? dsaKey = null;
        if (n == FieldsWithDsa)
        {
            if (!DsaPublicKey.TryCreate(p, q, g, y, out dsaKey)) return ProfileFault.DsaKey;
            if (!dsaKey.Verify(whole[first..transitionalFrom], transitional)) return ProfileFault.TransitionalSignature;
        }
        var encoded = whole[..(end + Ed448Signature.Size)].ToArray();
        profile = new ClientProfile(encoded, ownerTag, identityKey, forgingKey, versions.ToArray(), expiry, dsaKey);
        return ProfileFault.None;
    }

    private static void Expect(ref OtrReader reader, ProfileField field)
    {
        if (reader.ReadUInt16() != (ushort)field) reader.Fail();
    }

    private static ReadOnlySpan<byte> ReadKey(ref OtrReader reader, ReadOnlySpan<byte> type)
    {
        if (!reader.ReadFixed(type.Length).SequenceEqual(type)) reader.Fail();
        return reader.ReadFixed(Ed448Point.Size);
    }
}
