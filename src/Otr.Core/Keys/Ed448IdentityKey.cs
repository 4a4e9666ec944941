using System.Diagnostics.CodeAnalysis;
using Otr.Core.Crypto.Ed448;
using Otr.Core.V4;
using Otr.Core.V4.Profiles;

namespace Otr.Core;

/// <summary>
/// An account's identity in version 4: H, which signs, and the forging key F. The secret of F is not kept: whoever has it can forge
/// transcripts of this account's conversations, which is what it is for, and nobody has to say whether they do. Wiped on disposal.
/// </summary>
public sealed class Ed448IdentityKey : IDisposable
{
    /// <summary>Bytes that <see cref="Export"/> writes: the 57 secret bytes of H, then the point F.</summary>
    public const int ExportedSize = Ed448KeyPair.SeedSize + Ed448Point.Size;

    private ClientProfile? _profile;

    private Ed448IdentityKey(Ed448SigningKey signing, Ed448Point forging)
    {
        (Signing, Forging) = (signing, forging);
        Span<byte> fingerprint = stackalloc byte[Fingerprint.Ed448Size];
        Kdf.Derive(KdfUsage.Fingerprint, fingerprint, signing.Public.Encoding, forging.Encoding);
        Fingerprint = new Fingerprint(fingerprint);
    }

    /// <summary>H with its secret.</summary>
    internal Ed448SigningKey Signing { get; }

    /// <summary>F.</summary>
    internal Ed448Point Forging { get; }

    /// <summary>What contacts compare, 56 bytes.</summary>
    public Fingerprint Fingerprint { get; }

    /// <summary>
    /// The client profile that is published: signed when first needed, anew a day before it expires, and where another account or another
    /// offer needs another one. Any thread may ask.
    /// </summary>
    /// <param name="versionThree">The account's key of versions 2 and 3, if version 3 is offered as well.</param>
    /// <param name="now">Unix time in seconds.</param>
    internal ClientProfile ProfileAt(uint ownerTag, DsaPrivateKey? versionThree, long now)
    {
        if (_profile is { } profile && !profile.NeedsRenewal(now) && profile.OwnerTag == ownerTag
            && profile.TransitionalKey?.Fingerprint == versionThree?.PublicKey.Fingerprint) return profile;
        return _profile = ClientProfile.Sign(Signing, Forging, ownerTag, versionThree is null ? "4"u8 : "34"u8, now, versionThree);
    }

    /// <summary>Uses a profile that was signed elsewhere.</summary>
    internal void Publish(ClientProfile profile) => _profile = profile;

    /// <summary>A fresh identity.</summary>
    public static Ed448IdentityKey Generate(IRandomSource random)
    {
        var signing = Ed448SigningKey.Generate(random);
        using var forging = Ed448KeyPair.Generate(random);
        return new Ed448IdentityKey(signing, forging.Public);
    }

    /// <summary>Writes the secret identity: seal it before it is stored.</summary>
    /// <param name="destination"><see cref="ExportedSize"/> bytes.</param>
    public void Export(Span<byte> destination)
    {
        Signing.Seed.CopyTo(destination);
        Forging.Encoding.CopyTo(destination[Ed448KeyPair.SeedSize..]);
    }

    /// <summary>Takes back what <see cref="Export"/> wrote; false if the length is another or F is no valid point.</summary>
    public static bool TryImport(ReadOnlySpan<byte> exported, [NotNullWhen(true)] out Ed448IdentityKey? key)
    {
        key = null;
        if (exported.Length != ExportedSize || !Ed448Point.TryDecode(exported[Ed448KeyPair.SeedSize..], out var forging)) return false;
        key = new Ed448IdentityKey(new Ed448SigningKey(exported[..Ed448KeyPair.SeedSize]), forging);
        return true;
    }

    /// <summary>Wipes the secret.</summary>
    public void Dispose() => Signing.Dispose();

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(Ed448IdentityKey);
}
