using Otr.Core.Crypto.Ed448;
using Otr.Core.Wire;

namespace Otr.Core.V4.Profiles;

/// <summary>
/// A client profile (specification, "Client Profile"): who an instance is, which versions it speaks, and until when this may be believed.
/// An instance is the proof that every check passed, or that we signed it. Immutable; it holds public values only.
/// </summary>
internal sealed class ClientProfile
{
    /// <summary>Bytes of a version 4 fingerprint.</summary>
    public const int FingerprintSize = 56;

    private readonly byte[] _encoded, _versions, _fingerprint = new byte[FingerprintSize];

    internal ClientProfile(
        byte[] encoded, uint ownerTag, Ed448Point identityKey, Ed448Point forgingKey, byte[] versions, long expiry,
            DsaPublicKey? transitionalKey)
    {
        (_encoded, OwnerTag, IdentityKey, ForgingKey, _versions) = (encoded, ownerTag, identityKey, forgingKey, versions);
        (Expiry, TransitionalKey) = (expiry, transitionalKey);
        Kdf.Derive(KdfUsage.Fingerprint, _fingerprint, identityKey.Encoding, forgingKey.Encoding);
    }

    /// <summary>Number of fields, fields and signature, exactly as received or signed: what a DAKE hashes.</summary>
    public ReadOnlySpan<byte> Encoded => _encoded;

    /// <summary>The instance tag of who published it.</summary>
    public uint OwnerTag { get; }

    /// <summary>H, which signs.</summary>
    public Ed448Point IdentityKey { get; }

    /// <summary>F, whose owner can forge transcripts.</summary>
    public Ed448Point ForgingKey { get; }

    /// <summary>Digits, 4 among them.</summary>
    public ReadOnlySpan<byte> Versions => _versions;

    /// <summary>Unix time in seconds from which on it is not believed.</summary>
    public long Expiry { get; }

    /// <summary>
    /// The DSA key that the transitional signature verifies under; else null. That signature is over numbers modulo q, not over a hash, and
    /// anybody can carry one over to keys of their own (checklist C4.5): no trust may be taken from it, nor that both keys are the same
    /// person's.
    /// </summary>
    public DsaPublicKey? TransitionalKey { get; }

    /// <summary>HWC(00 ‖ H ‖ F, 56): what people compare, and what trust belongs to. A changed F changes it.</summary>
    public ReadOnlySpan<byte> Fingerprint => _fingerprint;

    /// <summary>Whether a peer may still be believed at <paramref name="now"/>, Unix time in seconds.</summary>
    public bool IsExpired(long now) => now >= Expiry;

    /// <summary>Whether an own profile should be replaced: a DAKE that begins now has to end before it expires.</summary>
    public bool NeedsRenewal(long now) => now >= Expiry - OtrLimits.ProfileRenewalMargin;

    /// <summary>
    /// Whether an own profile still serves for what was sent to us while we were offline: a day longer than it is believed.
    /// </summary>
    public bool IsUsableOffline(long now) => now < Expiry + OtrLimits.ProfileGrace;

    /// <summary>
    /// Makes and signs a profile that lives for <see cref="OtrLimits.ProfileLifetime"/>; a renewed one keeps keys and tag.
    /// </summary>
    /// <param name="identity">H.</param>
    /// <param name="forgingKey">F: a key pair's, or a point whose secret nobody has.</param>
    /// <param name="ownerTag">At least 0x100.</param>
    /// <param name="versions">Digits in ascending order, 4 among them; 3 needs <paramref name="transitionalKey"/>.</param>
    /// <param name="now">Unix time in seconds.</param>
    /// <param name="transitionalKey">The version 3 identity, which signs too; or null.</param>
    public static ClientProfile Sign(
        Ed448SigningKey identity, Ed448Point forgingKey, uint ownerTag, ReadOnlySpan<byte> versions, long now,
            DsaPrivateKey? transitionalKey = null)
    {
        if (ownerTag < MessageHeader.MinInstanceTag) throw new ArgumentException("An instance tag is at least 0x100.", nameof(ownerTag));
        if (!ClientProfileReader.AreVersions(versions)) throw new ArgumentException("Versions are digits, 4 among them, 1 and 2 not.",
            nameof(versions));
        if (transitionalKey is null && versions.Contains((byte)'3'))
            throw new ArgumentException("A profile for version 3 needs the DSA key.", nameof(transitionalKey));
        long expiry = now + OtrLimits.ProfileLifetime;

        var writer = new OtrWriter(ClientProfileReader.ShortProfileSize);
        writer.UInt32(transitionalKey is null ? ClientProfileReader.FieldsWithoutDsa : ClientProfileReader.FieldsWithDsa);
        int first = writer.Length;
        writer.UInt16((ushort)ProfileField.OwnerTag);
        writer.UInt32(ownerTag);
        writer.UInt16((ushort)ProfileField.IdentityKey);
        writer.Raw(ClientProfileReader.IdentityKeyType);
        writer.Raw(identity.Public.Encoding);
        writer.UInt16((ushort)ProfileField.ForgingKey);
        writer.Raw(ClientProfileReader.ForgingKeyType);
        writer.Raw(forgingKey.Encoding);
        writer.UInt16((ushort)ProfileField.Versions);
        writer.Data(versions);
        writer.UInt16((ushort)ProfileField.Expiry);
        writer.UInt64((ulong)expiry);
        if (transitionalKey is not null)
        {
            writer.UInt16((ushort)ProfileField.DsaKey);
            writer.UInt16(ClientProfileReader.DsaKeyType);
            var key = transitionalKey.PublicKey;
            writer.Mpi(key.P);
            writer.Mpi(key.Q);
            writer.Mpi(key.G);
            writer.Mpi(key.Y);
            Span<byte> transitional = stackalloc byte[DsaPublicKey.SignatureSize];
            transitionalKey.Sign(writer.Written[first..], transitional);
            writer.UInt16((ushort)ProfileField.TransitionalSignature);
            writer.Raw(transitional);
        }
        Span<byte> signature = stackalloc byte[Ed448Signature.Size];
        identity.Sign(writer.Written[first..], signature);
        writer.Raw(signature);
        return new ClientProfile(
            writer.ToArrayAndDispose(), ownerTag, identity.Public, forgingKey, versions.ToArray(), expiry, transitionalKey?.PublicKey);
    }

    /// <summary>Prints the type only: a profile names a person.</summary>
    public override string ToString() => nameof(ClientProfile);
}
