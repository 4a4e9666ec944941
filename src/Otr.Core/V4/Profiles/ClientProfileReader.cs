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
        profile = null;
        fault = ProfileFields.TryRead(ref reader, out var fields)
            ? Validate(fields, senderTag, now, out profile, maxLifetime)
            : ProfileFault.Malformed;
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

    /// <summary>Checks what was read, the cheapest first. Two points, a signature, and perhaps a DSA key with one: about 2 ms.</summary>
    /// <inheritdoc cref="TryRead"/>
    public static ProfileFault Validate(
        in ProfileFields fields, uint senderTag, long now, out ClientProfile? profile, long maxLifetime = OtrLimits.MaxProfileLifetime)
    {
        profile = null;
        if (fields.OwnerTag < MessageHeader.MinInstanceTag || fields.OwnerTag != senderTag) return ProfileFault.OwnerTag;
        if (!AreVersions(fields.Versions) || (fields.Versions.Contains((byte)'3') && !fields.HasDsa)) return ProfileFault.Versions;
        if (now >= fields.Expiry) return ProfileFault.Expired;
        if (fields.Expiry - now > maxLifetime) return ProfileFault.LifetimeTooLong;
        if (!Ed448Point.TryDecode(fields.IdentityKey, out var identityKey)) return ProfileFault.IdentityKey;
        if (!Ed448Signature.Verify(identityKey, fields.Signed, fields.Signature)) return ProfileFault.Signature;
        if (!Ed448Point.TryDecode(fields.ForgingKey, out var forgingKey)) return ProfileFault.ForgingKey;
        DsaPublicKey? dsaKey = null;
        if (fields.HasDsa)
        {
            if (!DsaPublicKey.TryCreate(fields.P, fields.Q, fields.G, fields.Y, out dsaKey)) return ProfileFault.DsaKey;
            if (!dsaKey.Verify(fields.TransitionalSigned, fields.Transitional)) return ProfileFault.TransitionalSignature;
        }
        profile = new ClientProfile(
            fields.Whole.ToArray(), fields.OwnerTag, identityKey, forgingKey, fields.Versions.ToArray(), fields.Expiry, dsaKey);
        return ProfileFault.None;
    }
}

/// <summary>The fields of a client profile, read but not checked: that costs nothing.</summary>
internal readonly ref struct ProfileFields
{
    /// <summary>Number of fields, fields and signature.</summary>
    public ReadOnlySpan<byte> Whole { get; private init; }
    /// <summary>What the EdDSA signature is over: the fields without their number.</summary>
    public ReadOnlySpan<byte> Signed { get; private init; }
    /// <summary>What the transitional signature is over: the fields before it.</summary>
    public ReadOnlySpan<byte> TransitionalSigned { get; private init; }
    public uint OwnerTag { get; private init; }
    public ReadOnlySpan<byte> IdentityKey { get; private init; }
    public ReadOnlySpan<byte> ForgingKey { get; private init; }
    public ReadOnlySpan<byte> Versions { get; private init; }
    public long Expiry { get; private init; }
    public bool HasDsa { get; private init; }
    public ReadOnlySpan<byte> P { get; private init; }
    public ReadOnlySpan<byte> Q { get; private init; }
    public ReadOnlySpan<byte> G { get; private init; }
    public ReadOnlySpan<byte> Y { get; private init; }
    public ReadOnlySpan<byte> Transitional { get; private init; }
    public ReadOnlySpan<byte> Signature { get; private init; }

    /// <summary>False: fields are missing, doubled, unknown, out of order, cut or of a wrong type.</summary>
    public static bool TryRead(ref OtrReader reader, out ProfileFields fields)
    {
        fields = default;
        int begin = reader.Position;
        var whole = reader.Remaining;
        // Types strictly ascend, 1 to 5 are there, 6 and 7 both or neither: they are 1, 2, … n.
        uint n = reader.ReadUInt32();
        if (n is not (ClientProfileReader.FieldsWithoutDsa or ClientProfileReader.FieldsWithDsa)) return false;
        bool hasDsa = n == ClientProfileReader.FieldsWithDsa;
        int first = reader.Position - begin;
        Expect(ref reader, ProfileField.OwnerTag);
        uint ownerTag = reader.ReadUInt32();
        Expect(ref reader, ProfileField.IdentityKey);
        var identityKey = ReadKey(ref reader, ClientProfileReader.IdentityKeyType);
        Expect(ref reader, ProfileField.ForgingKey);
        var forgingKey = ReadKey(ref reader, ClientProfileReader.ForgingKeyType);
        Expect(ref reader, ProfileField.Versions);
        var versions = reader.ReadData();
        Expect(ref reader, ProfileField.Expiry);
        long expiry = (long)reader.ReadUInt64();
        ReadOnlySpan<byte> p = default, q = default, g = default, y = default, transitional = default;
        int transitionalFrom = first;
        if (hasDsa)
        {
            Expect(ref reader, ProfileField.DsaKey);
            if (reader.ReadUInt16() != ClientProfileReader.DsaKeyType) reader.Fail();
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
        if (reader.Failed) return false;
        fields = new ProfileFields
        {
            Whole = whole[..(end + Ed448Signature.Size)], Signed = whole[first..end], TransitionalSigned = whole[first..transitionalFrom],
            OwnerTag = ownerTag, IdentityKey = identityKey, ForgingKey = forgingKey, Versions = versions, Expiry = expiry, HasDsa = hasDsa,
            P = p, Q = q, G = g, Y = y, Transitional = transitional, Signature = signature,
        };
        return true;
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
