using System.Buffers.Binary;
using System.Text;
using Otr.Core.Crypto.Ed448;
using Otr.Core.Tests.Crypto;
using Otr.Core.Tests.Kit;
using Otr.Core.V4.Profiles;
using Otr.Core.Wire;

namespace Otr.Core.Tests.V4;

/// <summary>Client profiles against the published vectors, and what those leave out.</summary>
public class ClientProfileTests
{
    /// <summary>The vectors' clock.</summary>
    private const long VectorNow = 1_800_000_000;

    private static ClientProfile? Read(
        byte[] profile, long now, out ProfileFault fault, uint? senderTag = null, long maxLifetime = long.MaxValue)
    {
        var reader = new OtrReader(profile);
        bool accepted = ClientProfileReader.TryRead(ref reader, senderTag ?? TagOf(profile), now, out var result, out fault, maxLifetime);
        Assert.Equal(accepted, result is not null);
        Assert.Equal(accepted, fault == ProfileFault.None);
        Assert.Equal(!accepted, reader.Failed);
        if (accepted) Assert.True(reader.IsComplete);
        return result;
    }

    /// <summary>The tag of the first field, as the message that carries the profile would have it.</summary>
    private static uint TagOf(byte[] profile) => profile.Length < 10 ? 0 : BinaryPrimitives.ReadUInt32BigEndian(profile.AsSpan(6));

    [Fact]
    public void Published_profiles_are_judged_as_published()
    {
        int valid = 0;
        foreach (var v in Vector.Of("client-profiles", "cases"))
        {
            var profile = Read(v.Bytes("profile"), VectorNow, out var fault);
            // Letters among the versions are refused here, as otr4j does too: room for them is room to forge (checklist C4.6).
            bool expected = v.Flag("valid") && v.Note != "versions 4x (unknown letter)";
            Assert.True(expected == profile is not null, $"{v.Note}: {fault}");
            if (profile is null) continue;
            valid++;
            Assert.Equal(v.Bytes("profile"), profile.Encoded);
        }
        Assert.Equal(12, valid);
    }

    [Theory]
    [InlineData("expired in 2001", nameof(ProfileFault.Expired))]
    [InlineData("expires at a negative time", nameof(ProfileFault.Expired))]
    [InlineData("signature changed", nameof(ProfileFault.Signature))]
    [InlineData("signed by another key", nameof(ProfileFault.Signature))]
    [InlineData("signature covers the number of fields (as libotr-ng)", nameof(ProfileFault.Signature))]
    [InlineData("without versions", nameof(ProfileFault.Malformed))]
    [InlineData("instance tag twice", nameof(ProfileFault.Malformed))]
    [InlineData("number of fields ffffffff", nameof(ProfileFault.Malformed))]
    [InlineData("fields in another order, signature over ascending order", nameof(ProfileFault.Malformed))]
    [InlineData("key type big-endian", nameof(ProfileFault.Malformed))]
    [InlineData("forging key has order 2q", nameof(ProfileFault.ForgingKey))]
    [InlineData("forging key not canonical (y = p + 1)", nameof(ProfileFault.ForgingKey))]
    [InlineData("Ed448 key has order 2q (signature by its order-q part)", nameof(ProfileFault.IdentityKey))]
    [InlineData("instance tag 0xff", nameof(ProfileFault.OwnerTag))]
    [InlineData("versions empty", nameof(ProfileFault.Versions))]
    [InlineData("versions 3", nameof(ProfileFault.Versions))]
    [InlineData("versions 24", nameof(ProfileFault.Versions))]
    [InlineData("versions 14", nameof(ProfileFault.Versions))]
    [InlineData("versions 34 without DSA key and transitional signature", nameof(ProfileFault.Versions))]
    [InlineData("transitional signature changed", nameof(ProfileFault.TransitionalSignature))]
    [InlineData("transitional signature over SHA-1 of the fields", nameof(ProfileFault.TransitionalSignature))]
    [InlineData("DSA key type 1", nameof(ProfileFault.Malformed))]
    [InlineData("cut in the signature", nameof(ProfileFault.Malformed))]
    public void Published_profiles_are_refused_for_their_reason(string note, string reason)
    {
        var v = Vector.Of("client-profiles", "cases").Single(c => c.Note == note);
        Assert.Null(Read(v.Bytes("profile"), VectorNow, out var fault));
        Assert.Equal(reason, fault.ToString());
    }

    /// <summary>Every signature in it verifies; the versions that make that possible are refused.</summary>
    [Fact]
    public void The_published_forgery_is_refused_for_its_versions()
    {
        var v = Vector.Of("client-profiles", "cases").Single(c => c.Note.StartsWith("FORGED", StringComparison.Ordinal));
        Assert.Null(Read(v.Bytes("profile"), VectorNow, out var fault));
        Assert.Equal(ProfileFault.Versions, fault);
    }

    [Fact]
    public void Fields_and_fingerprint_of_a_published_profile_are_the_published_ones()
    {
        var all = Vector.Of("client-profiles");
        var profile = Read(Vector.Of("client-profiles", "cases").ElementAt(1).Bytes("profile"), VectorNow, out _);
        Assert.NotNull(profile);
        Assert.Equal(all.Bytes("fingerprint"), profile.Fingerprint);
        Assert.Equal(all.Bytes("H"), profile.IdentityKey.Encoding);
        Assert.Equal(all.Bytes("F"), profile.ForgingKey.Encoding);
        Assert.Equal(0x01020304u, profile.OwnerTag);
        Assert.Equal(all.Part("dsa").Bytes("y"), profile.TransitionalKey!.Y);
        Assert.True(profile.Versions.SequenceEqual("34"u8));
        Assert.Equal(4_102_444_800, profile.Expiry);

        foreach (var setup in Vector.Of("expiry", "setup"))
        {
            var peer = Read(setup.Bytes("profile"), VectorNow, out _);
            Assert.NotNull(peer);
            Assert.Equal(setup.Bytes("fingerprint"), peer.Fingerprint);
        }
    }

    [Fact]
    public void A_profile_that_we_sign_is_the_published_one_bit_for_bit()
    {
        var all = Vector.Of("client-profiles");
        using var identity = new Ed448SigningKey(all.Bytes("sym_h"));
        using var forging = Ed448KeyPair.FromSeed(all.Bytes("sym_f"));
        long now = 4_102_444_800 - OtrLimits.ProfileLifetime;
        var profile = ClientProfile.Sign(identity, forging.Public, 0x01020304, "4"u8, now);
        Assert.Equal(Vector.Of("client-profiles", "cases").First().Bytes("profile"), profile.Encoded);
        Assert.Equal(ClientProfileReader.ShortProfileSize, profile.Encoded.Length);

        // Another DSA implementation's nonces give another transitional signature; all before it is the same.
        using var dsa = Import(all.Part("dsa"));
        var withDsa = ClientProfile.Sign(identity, forging.Public, 0x01020304, "34"u8, now, dsa);
        var published = Vector.Of("client-profiles", "cases").ElementAt(1).Bytes("profile");
        int signatures = DsaPublicKey.SignatureSize + Ed448Signature.Size;
        Assert.Equal(published[..^signatures], withDsa.Encoded[..^signatures]);
        Assert.NotNull(Read(withDsa.Encoded.ToArray(), now, out _));
    }

    private static DsaPrivateKey Import(Vector dsa)
    {
        Assert.True(DsaPrivateKey.TryImport(dsa.Bytes("p"), dsa.Bytes("q"), dsa.Bytes("g"), dsa.Bytes("y"), dsa.Bytes("x"), out var key));
        return key;
    }

    private static ClientProfile Own(long now, DsaPrivateKey? dsa = null)
    {
        using Ed448SigningKey identity = Ed448SigningKey.Generate(new SeededRandom(1));
        using Ed448KeyPair forging = Ed448KeyPair.Generate(new SeededRandom(2));
        return ClientProfile.Sign(identity, forging.Public, 0x100, dsa is null ? "4"u8 : "34"u8, now, dsa);
    }

    [Fact]
    public void A_profile_is_believed_until_it_expires_renewed_before_and_kept_a_day_for_what_was_sent_offline()
    {
        const long Day = 86_400;
        var profile = Own(now: 1000);
        long expiry = 1000 + 7 * Day;
        Assert.Equal(expiry, profile.Expiry);
        Assert.NotNull(Read(profile.Encoded.ToArray(), expiry - 1, out _));
        Assert.Null(Read(profile.Encoded.ToArray(), expiry, out var fault));
        Assert.Equal(ProfileFault.Expired, fault);
        Assert.Equal([false, true], [profile.IsExpired(expiry - 1), profile.IsExpired(expiry)]);
        Assert.Equal([false, true], [profile.NeedsRenewal(expiry - Day - 1), profile.NeedsRenewal(expiry - Day)]);
        Assert.Equal([true, false], [profile.IsUsableOffline(expiry + Day - 1), profile.IsUsableOffline(expiry + Day)]);
    }

    [Fact]
    public void A_profile_that_would_be_believed_for_more_than_a_year_is_refused()
    {
        var profile = Own(now: 0).Encoded.ToArray();
        long expiry = OtrLimits.ProfileLifetime;
        Assert.NotNull(Read(profile, expiry - OtrLimits.MaxProfileLifetime, out _, maxLifetime: OtrLimits.MaxProfileLifetime));
        Assert.Null(Read(profile, expiry - OtrLimits.MaxProfileLifetime - 1, out var fault, maxLifetime: OtrLimits.MaxProfileLifetime));
        Assert.Equal(ProfileFault.LifetimeTooLong, fault);
        // Every published one: they expire in 2100, or at the end of time.
        foreach (var v in Vector.Of("client-profiles", "cases").Where(v => v.Flag("valid")))
            Assert.Null(Read(v.Bytes("profile"), VectorNow, out _, maxLifetime: OtrLimits.MaxProfileLifetime));
    }

    [Fact]
    public void A_profile_in_the_message_of_another_instance_is_refused()
    {
        var profile = Own(now: 0);
        Assert.NotNull(Read(profile.Encoded.ToArray(), 0, out _, senderTag: 0x100));
        Assert.Null(Read(profile.Encoded.ToArray(), 0, out var fault, senderTag: 0x101));
        Assert.Equal(ProfileFault.OwnerTag, fault);
    }

    [Fact]
    public void A_profile_is_taken_out_of_the_message_around_it()
    {
        var profile = Own(now: 0);
        var reader = new OtrReader([0xAB, .. profile.Encoded, 0xCD]);
        reader.ReadByte();
        Assert.True(ClientProfileReader.TryRead(ref reader, 0x100, 0, out var read, out _));
        Assert.Equal(profile.Encoded, read.Encoded);
        Assert.Equal(0xCD, reader.ReadByte());
        Assert.True(reader.IsComplete);
    }

    [Fact]
    public void Profiles_that_nobody_would_take_are_not_signed()
    {
        using var identity = Ed448SigningKey.Generate(new SeededRandom(1));
        var f = identity.Public;
        Assert.Throws<ArgumentException>(() => ClientProfile.Sign(identity, f, 0xFF, "4"u8, 0));
        Assert.Throws<ArgumentException>(() => ClientProfile.Sign(identity, f, 0x100, "34"u8, 0));
        foreach (var versions in new[] { "", "3", "14", "24", "4x", "4444444444" })
            Assert.Throws<ArgumentException>(() => ClientProfile.Sign(identity, f, 0x100, Encoding.ASCII.GetBytes(versions), 0));
        Assert.Equal(nameof(ClientProfile), Own(0).ToString());
    }

    /// <summary>Fields of another type, however well signed, are not taken for those that belong in their place.</summary>
    [Fact]
    public void Every_field_has_to_be_of_the_type_in_its_place()
    {
        using var identity = Ed448SigningKey.Generate(new SeededRandom(1));
        var profile = Own(0).Encoded.ToArray();
        // The number of fields, then type and value of each.
        int[] lengths = [4, 59, 59, 5, 8];
        for (int field = 0, at = 4; field < lengths.Length; at += 2 + lengths[field++])
        {
            foreach (ushort type in new ushort[] { 0, (ushort)field, (ushort)(field + 2), 8, 0x0101 })
            {
                var other = profile.ToArray();
                BinaryPrimitives.WriteUInt16BigEndian(other.AsSpan(at), type);
                identity.Sign(other.AsSpan(4..^Ed448Signature.Size), other.AsSpan(^Ed448Signature.Size..));
                Assert.Null(Read(other, 0, out var fault, senderTag: 0x100));
                Assert.Equal(ProfileFault.Malformed, fault);
            }
            Assert.Equal(field + 1, BinaryPrimitives.ReadUInt16BigEndian(profile.AsSpan(at)));
        }
    }

    /// <summary>A change anywhere is noticed: all bytes are under the signature, or are the signature, or decide what is.</summary>
    [Fact]
    public void No_profile_survives_a_changed_cut_or_added_byte() => LongRuns.Search(TimeSpan.FromSeconds(1), 30, seed =>
    {
        var random = new SeededRandom(seed);
        var profile = Own(0, seed % 2 == 0 ? TestKeys.Of(0) : null).Encoded.ToArray();
        int at = BitConverter.ToUInt16(random.Bytes(2)) % profile.Length;
        var changed = profile.ToArray();
        changed[at] ^= (byte)(1 << random.Bytes(1)[0] % 8);
        Assert.Null(Read(changed, 0, out _, senderTag: 0x100));
        Assert.Null(Read(profile[..at], 0, out _, senderTag: 0x100));
        // Not behind the signature, whose last byte is zero.
        if (at < profile.Length - 1) Assert.Null(Read([.. profile[..at], 0, .. profile[at..]], 0, out _, senderTag: 0x100));
    });
}
