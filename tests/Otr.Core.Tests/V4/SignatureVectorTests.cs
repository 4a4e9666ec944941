using Otr.Core.Crypto.Ed448;
using Otr.Core.V4.Dake;

namespace Otr.Core.Tests.V4;

/// <summary>Ed448 signatures and ring signatures against the published vectors.</summary>
public class SignatureVectorTests
{
    [Fact]
    public void Signatures_are_made_and_judged_as_published()
    {
        int made = 0, refused = 0;
        foreach (var v in Vector.Of("eddsa", "cases"))
        {
            var signature = v.Bytes("sig");
            if (v.Has("sym"))
            {
                using var key = new Ed448SigningKey(v.Bytes("sym"));
                Assert.Equal(v.Bytes("secret_scalar"), key.Secret.Encode());
                Assert.Equal(v.Bytes("H"), key.Public.Encoding);
                Assert.Equal(v.Bytes("sym"), key.Seed);
                var own = new byte[Ed448Signature.Size];
                key.Sign(v.Bytes("m"), own);
                Assert.Equal(signature, own);
                made++;
            }
            bool verifies = Ed448Point.TryDecode(v.Bytes("H"), out var h) && Ed448Signature.Verify(h, v.Bytes("m"), signature);
            Assert.True(v.Flag("valid") == verifies, v.Note);
            if (!verifies) refused++;
        }
        Assert.True(made >= 7 && refused >= 6);
    }

    [Fact]
    public void A_key_that_is_the_identity_verifies_nothing()
    {
        // The signature that fits every message under the identity.
        byte[] signature = [1, .. new byte[Ed448Signature.Size - 1]];
        var identity = Ed448Point.Base.Subtract(Ed448Point.Base);
        Assert.False(Ed448Signature.Verify(identity, "any message"u8, signature));
        Assert.False(Ed448Signature.Verify(Ed448Point.Base, [], []));
    }

    [Fact]
    public void Ring_signatures_are_made_from_their_draws_as_published()
    {
        int made = 0;
        foreach (var v in Vector.Of("ringsig", "cases").Where(v => v.Has("sym")))
        {
            using var key = new Ed448SigningKey(v.Bytes("sym"));
            Assert.Equal(v.Bytes("secret_scalar"), key.Secret.Encode());
            var random = new Draws(v.List("randoms"));
            var sigma = new byte[RingSignature.Size];
            Assert.True(RingSignature.TrySign(random, key.Secret, v.Number("position") - 1, RingOf(v), v.Bytes("m"), sigma));
            Assert.True(random.IsEmpty);
            Assert.Equal(v.Bytes("sigma"), sigma);
            made++;
        }
        Assert.Equal(6, made);
    }

    [Fact]
    public void Ring_signatures_are_judged_as_published()
    {
        int refused = 0;
        foreach (var v in Vector.Of("ringsig", "cases"))
        {
            // A key of small order is refused before it can be in a ring.
            bool decoded = new[] { "A1", "A2", "A3" }.All(name => Ed448Point.TryDecode(v.Bytes(name), out _));
            bool verifies = decoded && RingSignature.Verify(RingOf(v), v.Bytes("m"), v.Bytes("sigma"));
            Assert.True(v.Flag("valid") == verifies, v.Note);
            if (!verifies) refused++;
        }
        Assert.True(refused >= 15);
    }

    [Fact]
    public void A_ring_with_two_equal_keys_is_not_signed_and_one_with_the_identity_not_verified()
    {
        var random = new Crypto.SeededRandom(3);
        using Ed448KeyPair a = Ed448KeyPair.Generate(random), b = Ed448KeyPair.Generate(random), c = Ed448KeyPair.Generate(random);
        var sigma = new byte[RingSignature.Size];
        var none = new Draws();
        Ed448Point[][] equalKeys = [[a.Public, a.Public, c.Public], [a.Public, c.Public, a.Public], [a.Public, c.Public, c.Public]];
        foreach (var ring in equalKeys)
            Assert.False(RingSignature.TrySign(none, a.Secret, 0, ring, [], sigma));

        Ed448Point[] good = [b.Public, a.Public, c.Public];
        Assert.True(RingSignature.TrySign(random, a.Secret, 1, good, "m"u8, sigma));
        Assert.True(RingSignature.Verify(good, "m"u8, sigma));
        Assert.False(RingSignature.Verify(good, "n"u8, sigma));
        Assert.False(RingSignature.Verify(good, "m"u8, sigma[1..]));
        var identity = a.Public.Subtract(a.Public);
        Assert.True(RingSignature.TrySign(random, a.Secret, 1, [identity, a.Public, c.Public], "m"u8, sigma));
        Assert.False(RingSignature.Verify([identity, a.Public, c.Public], "m"u8, sigma));
    }

    private static Ed448Point[] RingOf(Vector v) => [v.Point("A1"), v.Point("A2"), v.Point("A3")];
}
