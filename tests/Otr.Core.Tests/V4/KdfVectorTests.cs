using System.Text;
using Otr.Core.Crypto;
using Otr.Core.V4;
using Shake256 = Otr.Core.Crypto.Ed448.Shake256;

namespace Otr.Core.Tests.V4;

/// <summary>
/// The key derivation function against the published vectors, and the primitives under it against those of their standards.
/// </summary>
public class KdfVectorTests
{
    [Fact]
    public void Every_usage_derives_what_is_published()
    {
        var seen = new HashSet<int>();
        foreach (var v in Vector.Of("kdf", "kdf"))
        {
            var values = v.Bytes("values");
            var result = new byte[v.Number("size")];
            Kdf.Derive((KdfUsage)v.Number("usage"), result, values);
            Assert.Equal(v.Bytes("out"), result);
            // In pieces, and with the numbers that have no name.
            int third = values.Length / 3;
            result.AsSpan().Clear();
            Kdf.Derive((KdfUsage)v.Number("usage"), result, values.AsSpan(0, third), values.AsSpan(third, third), values.AsSpan(2 * third));
            Assert.Equal(v.Bytes("out"), result);
            using var shake = Kdf.Begin((byte)v.Number("usage"));
            shake.Absorb(values);
            result.AsSpan().Clear();
            foreach (ref byte b in result.AsSpan()) shake.Squeeze(new Span<byte>(ref b));
            Assert.Equal(v.Bytes("out"), result);

            // The name in the table is the name in the vectors.
            Assert.Equal(Enum.GetName((KdfUsage)v.Number("usage")), Name(v.Text("name")), ignoreCase: true);
            Assert.True(seen.Add(v.Number("usage")));
        }
        Assert.Equal([.. Enum.GetValues<KdfUsage>().Select(u => (int)u)], seen.Order());
    }

    private static string Name(string text) => text.Replace("_", "").Replace("symm", "symmetric");

    [Fact]
    public void Hashes_become_scalars_as_published()
    {
        foreach (var v in Vector.Of("kdf", "hash_to_scalar"))
        {
            var shake = Kdf.Begin((byte)v.Number("usage"));
            shake.Absorb(v.Bytes("values"));
            using var scalar = Kdf.ToScalar(ref shake);
            shake.Dispose();
            Assert.Equal(v.Bytes("scalar"), scalar.Encode());
        }
    }

    [Fact]
    public void The_prekey_servers_prefix_gives_its_own_values()
    {
        foreach (var v in Vector.Of("kdf", "prekey_server"))
        {
            using var shake = new Shake256();
            shake.Absorb("OTR-Prekey-Server"u8);
            shake.Absorb((byte)v.Number("usage"));
            shake.Absorb(v.Bytes("values"));
            var result = new byte[v.Number("size")];
            shake.Squeeze(result);
            Assert.Equal(v.Bytes("out"), result);
        }
    }

    /// <summary>FIPS 202: the digest of nothing, as NIST publishes it.</summary>
    [Fact]
    public void Shake256_of_nothing_matches_and_takes_no_input_after_output()
    {
        var digest = new byte[32];
        Shake256.Hash([], digest);
        Assert.Equal("46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f", Convert.ToHexStringLower(digest));
        Assert.Throws<InvalidOperationException>(() =>
        {
            using var shake = new Shake256();
            shake.Squeeze(new byte[1]);
            shake.Absorb(0);
        });
    }

    /// <summary>RFC 8439 A.1, test vectors 1 and 2 (one stream: counters 0 and 1), 3 and 4 from counter 1.</summary>
    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000", 0,
        "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586" +
        "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000001", 64,
        "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0")]
    public void ChaCha20_matches_RFC_8439(string key, int from, string stream)
    {
        var expected = Convert.FromHexString(stream);
        var actual = new byte[from + expected.Length];
        ChaCha20.Transform(Convert.FromHexString(key), actual, actual);
        Assert.Equal(expected, actual[from..]);
    }

    [Fact]
    public void ChaCha20_refuses_keys_and_destinations_of_the_wrong_length()
    {
        Assert.Throws<ArgumentException>(() => ChaCha20.Transform(new byte[31], [], []));
        Assert.Throws<ArgumentException>(() => ChaCha20.Transform(new byte[32], new byte[2], new byte[1]));
        var text = Encoding.ASCII.GetBytes("text");
        var buffer = text.ToArray();
        ChaCha20.Transform(new byte[32], buffer, buffer);
        Assert.NotEqual(text, buffer);
        ChaCha20.Transform(new byte[32], buffer, buffer);
        Assert.Equal(text, buffer);
    }
}
