using Otr.Core.Crypto.Ed448;

namespace Otr.Core.Tests.V4;

/// <summary>Points and scalars against the published vectors.</summary>
public class Ed448VectorTests
{
    [Fact]
    public void Multiples_of_the_base_point_match()
    {
        foreach (var v in Vector.Of("ed448-points", "base"))
        {
            using var k = v.Scalar("k");
            Assert.Equal(v.Bytes("kG"), Ed448Point.MultiplyBase(k).Encoding);
            Assert.Equal(v.Bytes("kG"), Ed448Point.Base.Multiply(k).Encoding);
            using var zero = Ed448Scalar.Reduce([]);
            Assert.Equal(v.Bytes("kG"), Ed448Point.Base.MultiplyBaseAddVar(k, zero).Encoding);
            Assert.Equal(v.Bytes("kG"), Ed448Point.Base.MultiplyBaseAddVar(zero, k).Encoding);
        }
    }

    [Fact]
    public void Multiples_of_other_points_match()
    {
        foreach (var v in Vector.Of("ed448-points", "arbitrary"))
        {
            using Ed448Scalar k = v.Scalar("k"), zero = Ed448Scalar.Reduce([]);
            var p = v.Point("P");
            Assert.Equal(v.Bytes("kP"), p.Multiply(k).Encoding);
            Assert.Equal(v.Bytes("kP"), p.MultiplyBaseAddVar(zero, k).Encoding);
        }
    }

    [Fact]
    public void Sums_opposites_and_doubles_match()
    {
        foreach (var v in Vector.Of("ed448-points", "add"))
        {
            Ed448Point a = v.Point("A"), b = v.Point("B"), identity = a.Subtract(a);
            Assert.Equal(v.Bytes("sum"), a.Add(b).Encoding);
            Assert.Equal(v.Bytes("sum"), b.Add(a).Encoding);
            Assert.Equal(v.Bytes("negA"), identity.Subtract(a).Encoding);
            Assert.Equal(v.Bytes("dblA"), a.Add(a).Encoding);
            Assert.True(a.Add(b).Subtract(b).FixedTimeEquals(a));
            Assert.True(identity.IsIdentity);
            Assert.Equal(v.Bytes("A").AsSpan().SequenceEqual(identity.Encoding), a.IsIdentity);
        }
    }

    [Fact]
    public void Of_all_encodings_the_valid_ones_are_taken_and_no_others()
    {
        int valid = 0;
        foreach (var v in Vector.Of("ed448-points", "encodings"))
        {
            var encoding = v.Bytes("enc");
            Assert.True(v.Flag("valid") == Ed448Point.TryDecode(encoding, out var point), v.Note);
            using var workspace = Ed448Workspace.Take();
            uint[] x = Ed448Workspace.NewElement(), y = Ed448Workspace.NewElement();
            Assert.True(v.Flag("decodes") == workspace.TryDecompress(encoding, x, y), v.Note);
            if (v.Flag("decodes"))
            {
                Assert.Equal(v.Bytes("x"), BigEndian(x));
                Assert.Equal(v.Bytes("y"), BigEndian(y));
            }
            if (point is null) continue;
            Assert.Equal(encoding, point.Encoding);
            valid++;
        }
        Assert.True(valid > 5);
        byte[] padded = [.. Ed448Point.Base.Encoding, .. new byte[57]];
        foreach (int length in new[] { 0, 56, 58, 114 }) Assert.False(Ed448Point.TryDecode(padded.AsSpan(0, length), out _));

        static byte[] BigEndian(uint[] element)
        {
            var bytes = new byte[56];
            Org.BouncyCastle.Math.EC.Rfc7748.X448Field.Encode(element, bytes);
            Array.Reverse(bytes);
            return bytes;
        }
    }

    [Fact]
    public void Scalars_of_every_length_are_reduced()
    {
        foreach (var v in Vector.Of("ed448-scalars", "decode"))
        {
            var encoding = v.Bytes("in");
            using var k = Ed448Scalar.Reduce(encoding);
            Assert.Equal(v.Bytes("out"), k.Encode());
            bool isReduced = encoding.AsSpan().SequenceEqual(v.Bytes("out"));
            Assert.Equal(isReduced, Ed448Scalar.IsReduced(encoding));
        }
    }

    [Fact]
    public void Arithmetic_of_scalars_matches()
    {
        foreach (var v in Vector.Of("ed448-scalars", "arithmetic"))
        {
            using Ed448Scalar a = v.Scalar("a"), b = v.Scalar("b");
            Assert.Equal(v.Bytes("sum"), Ed448Scalar.Add(a, b).Encode());
            Assert.Equal(v.Bytes("diff"), Ed448Scalar.Subtract(a, b).Encode());
            Assert.Equal(v.Bytes("product"), Ed448Scalar.Multiply(a, b).Encode());
            Assert.Equal(v.Bytes("negA"), a.Negate().Encode());
            using var difference = Ed448Scalar.SubtractProduct(a, b, a);
            Assert.True(Ed448Scalar.Add(difference, Ed448Scalar.Multiply(a, b)).FixedTimeEquals(a));
        }
    }

    [Fact]
    public void Random_scalars_follow_their_draw()
    {
        foreach (var v in Vector.Of("ed448-scalars", "random_in_Zq"))
        {
            var random = new Draws(v.Bytes("random"));
            using var k = Ed448Scalar.Draw(random);
            Assert.Equal(v.Bytes("scalar"), k.Encode());
            Assert.True(random.IsEmpty);
            var pruned = v.Bytes("shake57");
            Ed448Scalar.Prune(pruned);
            Assert.Equal(v.Bytes("pruned"), pruned);
        }
    }

    [Fact]
    public void Key_pairs_and_shared_secrets_follow_their_draws()
    {
        foreach (var v in Vector.Of("ed448-scalars", "ecdh"))
        {
            using var pair = Ed448KeyPair.Generate(new Draws(v.Bytes("random")));
            Assert.Equal(v.Bytes("secret"), pair.Secret.Encode());
            Assert.Equal(v.Bytes("public"), pair.Public.Encoding);
            if (!v.Has("other_random")) continue;
            using var other = Ed448KeyPair.Generate(new Draws(v.Bytes("other_random")));
            Assert.Equal(v.Bytes("other_public"), other.Public.Encoding);
            Assert.True(pair.TryAgree(other.Public, out var shared));
            Assert.Equal(v.Bytes("shared"), shared.Span.ToArray());
            Assert.True(other.TryAgree(pair.Public, out var again));
            Assert.Equal(v.Bytes("shared"), again.Span);
        }
    }

    [Fact]
    public void An_agreement_on_the_identity_is_refused()
    {
        using Ed448KeyPair zero = Ed448KeyPair.Restore(Ed448Scalar.Order), pair = Ed448KeyPair.Generate(new Crypto.SeededRandom(5));
        Assert.True(zero.Public.IsIdentity);
        Assert.False(zero.TryAgree(pair.Public, out _));
        Assert.False(pair.TryAgree(zero.Public, out _));
        Assert.True(pair.TryAgree(Ed448Point.Base, out var shared));
        Assert.Equal(pair.Public.Encoding, shared.Span);
    }

    [Fact]
    public void Secrets_are_wiped_on_disposal_and_never_printed()
    {
        using var watched = new WatchedSecrets();
        var pair = Ed448KeyPair.Generate(new Crypto.SeededRandom(6));
        var key = Ed448SigningKey.Generate(new Crypto.SeededRandom(6));
        byte[] seed = [.. key.Seed];
        Assert.True(watched.Holds(seed));
        Assert.Contains(watched.Made, secret => secret.AsSpan().ContainsAnyExcept((byte)0));
        var point = Ed448Point.Restore(pair.Public.Encoding);
        Assert.Equal(pair.Public.Encoding, point.Encoding);
        Assert.Throws<ArgumentException>(() => Ed448Point.Restore(new byte[56]));
        foreach (object secret in new object[] { pair, pair.Secret, key, point }) Assert.Equal(secret.GetType().Name, secret.ToString());
        pair.Dispose();
        key.Dispose();
        point.Dispose();
        Assert.False(watched.Holds(seed));
        Assert.All(watched.Made, secret => Assert.False(secret.AsSpan().ContainsAnyExcept((byte)0)));
        Assert.Throws<ObjectDisposedException>(() => pair.Secret.Encode());
        Assert.Throws<ObjectDisposedException>(() => key.Seed.Length);
        Assert.Throws<ObjectDisposedException>(() => key.Secret.Encode());
        Assert.Equal(new byte[57], point.Encoding);
        Assert.All(point.X.Concat(point.Y), word => Assert.Equal(0u, word));
    }
}
