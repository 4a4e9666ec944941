using System.Text;

namespace Otr.Core.Tests.Keys;

/// <summary>Files sealed to a passphrase or to a public key, and what hostile ones can do.</summary>
public class SealedFileTests
{
    // Made with Python's cryptography (Argon2id, X25519, HMAC, AES-GCM) by an implementation of its own; the second opens with that
    // library's own HPKE, too. Passphrase "Grüße, 4 Worte", salt 00…0f; private key 00…1f, ephemeral key 64…83.
    private const string OfPassphrase = "72656c61792d69640101000102030405060708090a0b0c0d0e0f09533aefcb98d494c3a67bb51934a0b9738f962e5ca54a478e5e46cd37";
    private const string OfKey = "72656c61792d696401027d9c24316539825c1896e57f28197746793ce60cbee3ad47da9d07b85fa55e2a6e400b1ee8b609b159d79e8d50e99d5a88b530824a011b456a88442b11";
    private const string Content = "what is in it";
    private static readonly byte[] s_passphrase = Encoding.UTF8.GetBytes("Grüße, 4 Worte");
    private static readonly byte[] s_privateKey = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    [Fact]
    public void What_another_implementation_has_sealed_opens()
    {
        Assert.True(SealedFile.TryOpen(Convert.FromHexString(OfPassphrase), s_passphrase, out var content));
        Assert.Equal(Content, Encoding.UTF8.GetString(content));
        Assert.True(SealedFile.TryOpenWith(Convert.FromHexString(OfKey), s_privateKey, out content));
        Assert.Equal(Content, Encoding.UTF8.GetString(content));
        // RFC 7748 and the same Python agree on the public key.
        Assert.Equal("8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f", Convert.ToHexStringLower(SealedFile.PublicKeyOf(s_privateKey)));
    }

    [Fact]
    public void The_same_draws_seal_the_same_files_bit_for_bit()
    {
        var content = Encoding.UTF8.GetBytes(Content);
        Assert.Equal(OfPassphrase, Convert.ToHexStringLower(SealedFile.Seal(content, s_passphrase, new Counting(0))));
        Assert.Equal(OfKey, Convert.ToHexStringLower(SealedFile.SealTo(content, SealedFile.PublicKeyOf(s_privateKey), new Counting(100))!));
    }

    [Fact]
    public void A_file_opens_for_nobody_else_and_unchanged_only()
    {
        var (privateKey, publicKey) = SealedFile.GenerateKeyPair(SystemRandom.Instance);
        var (otherKey, _) = SealedFile.GenerateKeyPair(SystemRandom.Instance);
        var file = SealedFile.SealTo("content"u8, publicKey, SystemRandom.Instance)!;
        Assert.True(SealedFile.TryOpenWith(file, privateKey, out _));
        Assert.False(SealedFile.TryOpenWith(file, otherKey, out _));
        Assert.False(SealedFile.TryOpen(file, privateKey, out _));
        for (int i = 0; i < file.Length; i++)
        {
            var changed = (byte[])file.Clone();
            changed[i] ^= 1;
            Assert.False(SealedFile.TryOpenWith(changed, privateKey, out var content));
            Assert.Null(content);
        }
        for (int length = 0; length < file.Length; length++) Assert.False(SealedFile.TryOpenWith(file.AsSpan(0, length), privateKey, out _));
        Assert.False(SealedFile.TryOpenWith([.. file, 0], privateKey, out _));
        // The passphrase, too; fewer, because each takes its time.
        var slow = Convert.FromHexString(OfPassphrase);
        Assert.False(SealedFile.TryOpen(slow, "Gruesse, 4 Worte"u8, out _));
        foreach (int i in (int[])[8, 9, 10, 25, 26, slow.Length - 1])
        {
            var changed = (byte[])slow.Clone();
            changed[i] ^= 1;
            Assert.False(SealedFile.TryOpen(changed, s_passphrase, out _));
        }
    }

    /// <summary>A point of small order would give every sender the same key.</summary>
    [Fact]
    public void Points_of_small_order_are_refused()
    {
        string[] small =
        [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ];
        foreach (var point in small.Select(Convert.FromHexString))
        {
            Assert.Null(SealedFile.SealTo("x"u8, point, SystemRandom.Instance));
            byte[] file = [.. Convert.FromHexString(OfKey)];
            point.CopyTo(file, 10);
            Assert.False(SealedFile.TryOpenWith(file, s_privateKey, out _));
        }
        Assert.Null(SealedFile.SealTo("x"u8, new byte[31], SystemRandom.Instance));
        Assert.False(SealedFile.TryOpenWith(Convert.FromHexString(OfKey), new byte[31], out _));
    }

    [Fact]
    public void What_is_too_long_is_a_callers_bug()
    {
        Assert.Throws<ArgumentException>(() => SealedFile.Seal(new byte[SealedFile.MaxContentBytes + 1], "x"u8, SystemRandom.Instance));
        Assert.Throws<ArgumentException>(() => SealedFile.Seal([], [], SystemRandom.Instance));
        Assert.Throws<ArgumentException>(() => SealedFile.Seal([], new byte[SealedFile.MaxPassphraseBytes + 1], SystemRandom.Instance));
        Assert.Throws<ArgumentException>(() => SealedFile.PublicKeyOf(new byte[33]));
    }

    private sealed class Counting(int next) : IRandomSource
    {
        private int _next = next;

        public void Fill(Span<byte> destination)
        {
            for (int i = 0; i < destination.Length; i++) destination[i] = (byte)_next++;
        }
    }
}
