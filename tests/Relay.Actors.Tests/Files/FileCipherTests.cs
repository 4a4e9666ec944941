using System.Security.Cryptography;
using Relay.Actors.Files;

namespace Relay.Actors.Tests.Files;

/// <summary>The format of docs/files.md: against values of file_blob.py, and every way to change a blob.</summary>
public class FileCipherTests
{
    private static readonly UInt128 s_id = new(0x0001020304050607, 0x08090a0b0c0d0e0f);
    private static readonly byte[] s_fileKey = [.. Enumerable.Range(100, 32).Select(i => (byte)i)];

    private static byte[] Plain(int size) => [.. Enumerable.Range(0, size).Select(i => (byte)(i % 251))];

    private static FileOffer Offer(byte[] plain) => new(s_id, plain.Length, SHA256.HashData(plain), "é.txt", "text/plain", "");

    private static byte[] Key(int size) => [.. Enumerable.Range(0, size).Select(i => (byte)i)];

    private static byte[] Blob(byte[] plain, byte[] extraKey)
    {
        var offer = Offer(plain).Encode();
        List<byte> blob = [.. FileCipher.Wrap(FileCipher.DeriveWrapKey(extraKey, s_id, offer), s_id, s_fileKey)];
        for (uint n = 0; n < FileCipher.Portions(plain.Length); n++)
        {
            var portion = plain.AsSpan((int)n * FileCipher.PortionSize, FileCipher.PortionLength(plain.Length, n));
            blob.AddRange(FileCipher.Seal(s_fileKey, plain.Length, n, portion));
        }
        return [.. blob];
    }

    /// <summary>Printed by file_blob.py for the same inputs: the hash of the offer and of the blob.</summary>
    [Theory]
    [InlineData(0, 32, "d6aca6da905bad8d76ae3eafcdf032ae6bcca80fb870afda289b27a1cb8adc3d",
        "7930b2715e6c2bb29caab8c2f81f57b3d517148b930e4c7ebd9db6acd9207815")]
    [InlineData(0, 64, "d6aca6da905bad8d76ae3eafcdf032ae6bcca80fb870afda289b27a1cb8adc3d",
        "a57a23dd3749334c584b5b94c409946d10020f4d97c8160b3aea3270cddf6fbd")]
    [InlineData(5, 32, "544c9e04aad3cfab82924b33cb92510785c6a6ac5bc21d926efea73a77b9f632",
        "6e48a02b183407a048ccd0ceacd38d8cb712c50869dec53875d9631a987b2ef6")]
    [InlineData(5, 64, "544c9e04aad3cfab82924b33cb92510785c6a6ac5bc21d926efea73a77b9f632",
        "bcbf826ef7a67143b03b59c80f08e351684de9f7def89877bfe1675902094276")]
    [InlineData(65536, 32, "309806928a41d5d4febdae62f010749cd9af2001ecd8313053bf760d213a0821",
        "edb828d60a1d1307d88007c4c9aa0320424cfb5835e56d751bb351b183d83bf6")]
    [InlineData(65536, 64, "309806928a41d5d4febdae62f010749cd9af2001ecd8313053bf760d213a0821",
        "4326af29c813ed178b682e463c7f240cf0b0ba2ea159e747b1a43af555871aca")]
    [InlineData(65537, 32, "6acf452686e0f62baaa9f07a571249a85c180668ea313e6747470a0bce08267a",
        "32922e620484a8b28b246f3b6e766e502bb22dd2e3d6cef9ea5cd6d40baf32d2")]
    [InlineData(65537, 64, "6acf452686e0f62baaa9f07a571249a85c180668ea313e6747470a0bce08267a",
        "e2e54d97e2d3c8ddcaac64b1822bc40a777a0c9bd4b8181957f98c157af0bf57")]
    public void Offers_and_blobs_are_those_of_the_independent_implementation(int size, int keySize, string offer, string blob)
    {
        var plain = Plain(size);
        Assert.Equal(offer, Convert.ToHexStringLower(SHA256.HashData(Offer(plain).Encode())));
        var ours = Blob(plain, Key(keySize));
        Assert.Equal(FileCipher.BlobSize(size), ours.Length);
        Assert.Equal(blob, Convert.ToHexStringLower(SHA256.HashData(ours)));
    }

    [Fact]
    public void A_changed_cut_or_moved_portion_does_not_open()
    {
        const int size = 2 * FileCipher.PortionSize + 7;
        var plain = Plain(size);
        var portions = Enumerable.Range(0, 3).Select(n => FileCipher.Seal(s_fileKey, size, (uint)n,
            plain.AsSpan(n * FileCipher.PortionSize, FileCipher.PortionLength(size, (uint)n)))).ToArray();
        for (uint n = 0; n < 3; n++) Assert.NotNull(FileCipher.TryOpen(s_fileKey, size, n, portions[n]));
        Assert.Null(FileCipher.TryOpen(s_fileKey, size, 0, portions[1]));
        Assert.Null(FileCipher.TryOpen(s_fileKey, size, 3, portions[2]));
        Assert.Null(FileCipher.TryOpen(s_fileKey, size, 2, portions[2].AsSpan(..^1)));
        Assert.Null(FileCipher.TryOpen(s_fileKey, size, 2, []));
        // The file ends where its last portion says: a shorter size does not make another portion the last.
        Assert.Null(FileCipher.TryOpen(s_fileKey, 2 * FileCipher.PortionSize, 1, portions[1]));
        foreach (int at in new[] { 0, FileCipher.PortionSize, FileCipher.SealedPortionSize - 1 })
        {
            var changed = portions[1].ToArray();
            changed[at] ^= 1;
            Assert.Null(FileCipher.TryOpen(s_fileKey, size, 1, changed));
        }
        Assert.Null(FileCipher.TryOpen(Key(32), size, 1, portions[1]));
    }

    [Fact]
    public void A_header_opens_with_the_extra_key_and_offer_that_it_was_made_for_only()
    {
        var plain = Plain(5);
        var offer = Offer(plain);
        var header = Blob(plain, Key(32))[..FileCipher.HeaderSize];
        byte[] WrapKey(byte[] extra, FileOffer of) => FileCipher.DeriveWrapKey(extra, of.TransferId, of.Encode());
        Assert.Equal(s_fileKey, FileCipher.TryUnwrap(WrapKey(Key(32), offer), s_id, header));
        Assert.Null(FileCipher.TryUnwrap(WrapKey(Key(31), offer), s_id, header));
        Assert.Null(FileCipher.TryUnwrap(WrapKey(Key(32), offer with { Name = "f.txt" }), s_id, header));
        Assert.Null(FileCipher.TryUnwrap(WrapKey(Key(32), offer), s_id + 1, header));
        Assert.Null(FileCipher.TryUnwrap(WrapKey(Key(32), offer), s_id, header.AsSpan(..^1)));
        for (int i = 0; i < header.Length; i++)
        {
            var changed = header.ToArray();
            changed[i] ^= 0x80;
            Assert.Null(FileCipher.TryUnwrap(WrapKey(Key(32), offer), s_id, changed));
        }
    }

    [Fact]
    public void A_damaged_offer_is_null_whatever_is_cut_or_added()
    {
        var offer = Offer(Plain(5)) with { Url = "https://relay.example/files/x" };
        var data = offer.Encode();
        var read = FileOffer.TryDecode(data)!;
        Assert.Equal((offer.TransferId, offer.Size, offer.Name, offer.MediaType, offer.Url),
            (read.TransferId, read.Size, read.Name, read.MediaType, read.Url));
        Assert.Equal(offer.Sha256.ToArray(), read.Sha256.ToArray());
        for (int i = 0; i < data.Length; i++) Assert.Null(FileOffer.TryDecode(data.AsSpan(0, i)));
        Assert.Null(FileOffer.TryDecode([.. data, 0]));
        data[0] = 2;
        Assert.Null(FileOffer.TryDecode(data));
        foreach (long size in new[] { -1, FileLimits.MaxFileBytes + 1, long.MaxValue })
            Assert.Null(FileOffer.TryDecode((offer with { Size = size }).Encode()));
        Assert.NotNull(FileOffer.TryDecode((offer with { Size = FileLimits.MaxFileBytes }).Encode()));
    }

    [Fact]
    public void The_longest_offer_fits_the_data_of_the_TLV()
    {
        var offer = Offer(Plain(0)) with
        {
            Name = new string('n', FileLimits.MaxNameBytes), MediaType = "a/" + new string('b', FileLimits.MaxMediaTypeBytes - 2),
            Url = "https://x/" + new string('u', FileLimits.MaxUrlBytes - 10),
        };
        Assert.NotNull(FileOffer.TryDecode(offer.Encode()));
        Assert.InRange(offer.Encode().Length, 900, Otr.Core.OtrLimits.MaxExtraKeyDataBytes);
    }

    [Theory]
    [InlineData("a"), InlineData("Übung 1.tar.gz"), InlineData(".profile"), InlineData("日本.txt")]
    public void Names_of_files_are_names(string name) => Assert.True(FileNames.IsName(name));

    [Theory]
    [InlineData(""), InlineData("."), InlineData(".."), InlineData("../x"), InlineData("a/b"), InlineData("a\\b"), InlineData("C:x")]
    [InlineData("a\nb"), InlineData("a\0"), InlineData("\u202Egpj.exe"), InlineData("a\u2028b"), InlineData(" a"), InlineData("a\u200Bb")]
    [InlineData("\uFFFD"), InlineData("\uE000")]
    public void Paths_and_invisible_characters_are_none(string name)
    {
        Assert.False(FileNames.IsName(name));
        Assert.Null(FileOffer.TryDecode((Offer(Plain(0)) with { Name = name }).Encode()));
    }

    [Theory]
    [InlineData("", true), InlineData("image/png", true), InlineData("application/vnd.a+b", true), InlineData("image", false)]
    [InlineData("text/html; charset=x", false), InlineData("a/b/c", false), InlineData("a/", false), InlineData("a/b\n", false)]
    public void Media_types_have_no_parameters(string type, bool isOne) => Assert.Equal(isOne, FileNames.IsMediaType(type));

    [Theory]
    [InlineData("", true), InlineData("https://a.example/x?y", true), InlineData("ftp://a/", false), InlineData("file:///etc/passwd", false)]
    [InlineData("https://u:p@a/", false), InlineData("https://a/ b", false), InlineData("/x", false), InlineData("javascript:alert(1)", false)]
    public void Addresses_are_of_the_web(string url, bool isOne) => Assert.Equal(isOne, FileNames.IsUrl(url));
}
