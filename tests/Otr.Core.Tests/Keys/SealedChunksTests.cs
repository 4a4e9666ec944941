using System.Security.Cryptography;
using System.Text;

namespace Otr.Core.Tests.Keys;

/// <summary>Files of any length, sealed in chunks: against another implementation, and against whoever cuts, swaps and changes them.</summary>
public class SealedChunksTests
{
    private const int Whole = SealedChunks.ChunkSize + SealedChunks.TagSize;

    // Made with Python's cryptography (Argon2id, X25519, AES-GCM; HPKE's key schedule over hmac) by an implementation of its own from the
    // description of the format. Passphrase "Grüße, 4 Worte", salt 00…0f; private key 00…1f, ephemeral key 64…83. The hashes are the SHA-256
    // of the files of 150,000 bytes, and of two full chunks.
    private const string OfPassphrase = "72656c61792d626b0101000102030405060708090a0b0c0d0e0f09533aefcb98d494c3a67bb5191aa24b3a5bf8d6969b280dc2958a099c";
    private const string OfPassphraseLong = "a8f5acd462df1ebf5253c10412a333283f22d791e791a3519d5d7f66a13560e2";
    private const string OfPassphraseFull = "f5779f6b51928698fd5b97e2f8ca1587673a9a90f4af5f5fbc05b9016797972b";
    private const string OfKey = "72656c61792d626b01027d9c24316539825c1896e57f28197746793ce60cbee3ad47da9d07b85fa55e2aaece596dcffbc1f1dd957354954aa5a01b79620471366f2d65bf9021c9";
    private const string OfKeyLong = "0ac574d2cf369047402a3dc199b1f17f995b299784d36ba100e88fdd4da8cf06";
    private const string OfKeyFull = "67cb803557efc9f5c80f6261c92a921dad31b8e0a85045d7d6670ce8ed926f5e";
    private static readonly byte[] s_passphrase = Encoding.UTF8.GetBytes("Grüße, 4 Worte");
    private static readonly byte[] s_privateKey = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly byte[] s_long = [.. Enumerable.Range(0, 150_000).Select(i => (byte)(i * 7 + i / 251))];

    [Fact]
    public void Another_implementation_seals_the_same_files_bit_for_bit()
    {
        var small = "what is in it"u8.ToArray();
        var full = s_long[..(2 * SealedChunks.ChunkSize)];
        Assert.Equal((OfPassphrase, OfPassphraseLong, OfPassphraseFull), (Convert.ToHexStringLower(Seal(ToPassphrase(), small)), Hash(Seal(ToPassphrase(), s_long)), Hash(Seal(ToPassphrase(), full))));
        Assert.Equal((OfKey, OfKeyLong, OfKeyFull), (Convert.ToHexStringLower(Seal(ToKey(), small)), Hash(Seal(ToKey(), s_long)), Hash(Seal(ToKey(), full))));
        foreach (var content in (byte[][])[small, s_long, full, []])
        {
            Assert.Equal(content, Open(Seal(ToPassphrase(), content), head => SealedChunks.OpenWithPassphrase(head, s_passphrase)));
            Assert.Equal(content, Open(Seal(ToKey(), content), head => SealedChunks.OpenWithKey(head, s_privateKey)));
        }
    }

    [Fact]
    public void It_opens_for_nobody_else()
    {
        var (other, _) = SealedFile.GenerateKeyPair(SystemRandom.Instance);
        var file = Seal(ToKey(), s_long);
        Assert.Null(Open(file, head => SealedChunks.OpenWithKey(head, other)));
        Assert.Null(Open(file, head => SealedChunks.OpenWithPassphrase(head, s_passphrase)));
        Assert.Null(Open(Seal(ToPassphrase(), [1]), head => SealedChunks.OpenWithPassphrase(head, "Gruesse, 4 Worte"u8)));
        // The same key pair opens archives of identities: neither kind of file passes for the other.
        Assert.False(SealedFile.TryOpenWith(file, s_privateKey, out _));
        Assert.Equal(0, SealedChunks.HeadLength(SealedFile.SealTo([1], SealedFile.PublicKeyOf(s_privateKey), SystemRandom.Instance)));
        Assert.Null(SealedChunks.ToHolderOf(new byte[32], SystemRandom.Instance));
    }

    [Fact]
    public void What_was_changed_cut_swapped_or_added_does_not_open()
    {
        var file = Seal(ToKey(), s_long);
        int head = SealedChunks.PrefixSize + SealedFile.KeySize;
        byte[]? Opened(byte[] changed) => Open(changed, h => SealedChunks.OpenWithKey(h, s_privateKey));
        Assert.NotNull(Opened(file));
        foreach (int at in (int[])[8, 9, 10, head - 1, head, head + SealedChunks.ChunkSize, head + Whole, head + 2 * Whole, file.Length - 1])
        {
            var changed = (byte[])file.Clone();
            changed[at] ^= 1;
            Assert.Null(Opened(changed));
        }
        // Cut at a border of two chunks, or within one, or to nothing; more at the end.
        foreach (int length in (int[])[head, head + 5, head + Whole, head + 2 * Whole, head + 2 * Whole + 20, file.Length - 1]) Assert.Null(Opened(file[..length]));
        Assert.Null(Opened([.. file, 0]));
        Assert.Null(Opened([.. file, .. file[(head + 2 * Whole)..]]));
        // Chunks in another order, one left out, one twice.
        Assert.Null(Opened([.. file[..head], .. file[(head + Whole)..(head + 2 * Whole)], .. file[head..(head + Whole)], .. file[(head + 2 * Whole)..]]));
        Assert.Null(Opened([.. file[..head], .. file[(head + Whole)..]]));
        Assert.Null(Opened([.. file[..(head + Whole)], .. file[head..]]));
        // A chunk of another file to the same holder.
        var twin = Seal(SealedChunks.ToHolderOf(SealedFile.PublicKeyOf(s_privateKey), SystemRandom.Instance)!, s_long);
        Assert.Null(Opened([.. file[..(head + Whole)], .. twin[(head + Whole)..]]));
    }

    private static SealedChunks ToPassphrase() => SealedChunks.ToPassphraseOf(s_passphrase, new Counting(0));

    private static SealedChunks ToKey() => SealedChunks.ToHolderOf(SealedFile.PublicKeyOf(s_privateKey), new Counting(100))!;

    private static byte[] Seal(SealedChunks seal, byte[] content)
    {
        using (seal)
        {
            var file = new List<byte>(seal.Head.ToArray());
            int chunks = Math.Max(1, (content.Length + SealedChunks.ChunkSize - 1) / SealedChunks.ChunkSize);
            for (int i = 0; i < chunks; i++)
            {
                var chunk = content.AsSpan(i * SealedChunks.ChunkSize, Math.Min(SealedChunks.ChunkSize, content.Length - i * SealedChunks.ChunkSize));
                var output = new byte[chunk.Length + SealedChunks.TagSize];
                seal.Seal(chunk, i == chunks - 1, output);
                file.AddRange(output);
            }
            return [.. file];
        }
    }

    /// <summary>The content; null if it does not open.</summary>
    private static byte[]? Open(byte[] file, Func<byte[], SealedChunks?> begin)
    {
        int length = SealedChunks.HeadLength(file.AsSpan(0, Math.Min(file.Length, SealedChunks.PrefixSize)));
        if (length == 0) return null;
        using var seal = begin(file[..length]);
        if (seal is null) return null;
        var content = new List<byte>();
        int at = length;
        do
        {
            int taken = Math.Min(Whole, file.Length - at);
            var clear = new byte[SealedChunks.ChunkSize];
            if (!seal.TryOpen(file.AsSpan(at, taken), at + taken == file.Length, clear)) return null;
            content.AddRange(clear.AsSpan(0, taken - SealedChunks.TagSize));
            at += taken;
        }
        while (at < file.Length);
        return [.. content];
    }

    private static string Hash(byte[] file) => Convert.ToHexStringLower(SHA256.HashData(file));

    private sealed class Counting(int next) : IRandomSource
    {
        private int _next = next;

        public void Fill(Span<byte> destination)
        {
            for (int i = 0; i < destination.Length; i++) destination[i] = (byte)_next++;
        }
    }
}
