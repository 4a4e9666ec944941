using System.Buffers;
using System.Text;

namespace Otr.Core.Tests.Keys;

/// <summary>Every form in which programs have written <c>otr.private_key</c>, and what is refused.</summary>
public sealed class LibotrPrivateKeyFileTests
{
    private static readonly DsaPrivateKey First = DsaPrivateKey.Generate(SystemRandom.Instance);
    private static readonly DsaPrivateKey Second = DsaPrivateKey.Generate(SystemRandom.Instance);

    private static byte[] P => First.PublicKey.P;
    private static byte[] Q => First.PublicKey.Q;

    [Theory]
    [InlineData("alice", "alice")]
    [InlineData("user@example.org/", "user@example.org/")]
    [InlineData("12345", "12345")]
    [InlineData("12ab", "12ab")]
    [InlineData("\"al (ice) home\"", "al (ice) home")]
    [InlineData("\"a\\\"b\\\\c\\'d\"", "a\"b\\c'd")]
    [InlineData("\"tab\\tlf\\ncr\\r\"", "tab\tlf\ncr\r")]
    [InlineData("\"\\x41\\x4a\\102\"", "AJB")]
    [InlineData("\"Zo\\303\\253\"", "Zoë")]
    [InlineData("\"Zoë\"", "Zoë")]
    [InlineData("\"con\\\ntinued\"", "continued")]
    [InlineData("#61 6C\n69 63 65#", "alice")]
    [InlineData("|YWxp\nY2U=|", "alice")]
    [InlineData("|YWxpY2U|", "alice")]
    [InlineData("5:alice", "alice")]
    [InlineData("7:al ) #\"", "al ) #\"")]
    [InlineData("5\"alice\"", "alice")]
    public void A_name_in_any_form(string written, string expected)
    {
        var keys = Read(File(Account(written, "prpl-jabber")));
        Assert.Equal((expected, "prpl-jabber"), (keys[0].AccountName, keys[0].Protocol));
        Assert.Equal(First.PublicKey.Fingerprint, keys[0].Key.PublicKey.Fingerprint);
    }

    [Fact]
    public void Numbers_in_any_form()
    {
        byte[] quotedWithRawBytes = [(byte)'"', .. Encoding.ASCII.GetBytes("\\x00"), .. Q.SelectMany(Quoted), (byte)'"'];
        byte[][] forms =
        [
            Hex(Q), Ascii("#" + Convert.ToHexStringLower(Q) + "#"), Ascii("#0000" + Convert.ToHexString(Q) + "#"),
            Ascii("#" + string.Join("\n ", Convert.ToHexString(Q).Chunk(7).Select(c => new string(c))) + "#"),
            Ascii("|" + Convert.ToBase64String(Q) + "|"), [.. Ascii($"{Q.Length}:"), .. Q], quotedWithRawBytes,
        ];
        foreach (var form in forms)
        {
            var keys = Read(File(Account(Ascii("a"), Ascii("b"), First, form)));
            Assert.Equal(First.PublicKey.Fingerprint, keys[0].Key.PublicKey.Fingerprint);
            Assert.Equal(First.ExportX(), keys[0].Key.ExportX());
        }
    }

    [Fact]
    public void Entries_in_another_order_and_unknown_ones()
    {
        byte[] file = [.. "(privkeys (account (created 2009 (by (pidgin \"2.6\"))) (private-key (comment x) (dsa (z #01#) "u8,
            .. "(x "u8, .. Hex(First.ExportX()), .. ")(y "u8, .. Hex(First.PublicKey.Y), .. ")(g "u8, .. Hex(First.PublicKey.G),
            .. ")(q "u8, .. Hex(Q), .. ")(p "u8, .. Hex(P), .. ")))(protocol irc)(name alice)))"u8];
        Assert.Equal(("alice", "irc"), (Read(file)[0].AccountName, Read(file)[0].Protocol));
    }

    [Fact]
    public void The_last_of_an_account_s_keys_stands()
    {
        var keys = Read(File(Account("a", "x"), Account("b", "x"), Account(Ascii("a"), Ascii("x"), Second, Hex(Second.PublicKey.Q))));
        Assert.Equal(["a", "b"], keys.Select(k => k.AccountName));
        Assert.Equal(Second.PublicKey.Fingerprint, LibotrPrivateKeyFile.Find(keys, "a", "x")!.Key.PublicKey.Fingerprint);
        Assert.Null(LibotrPrivateKeyFile.Find(keys, "A", "x"));
    }

    [Fact]
    public void An_empty_file_of_keys_is_a_file() => Assert.Empty(Read("(privkeys)"u8.ToArray()));

    [Theory]
    [InlineData("alice", "prpl-jabber")]
    [InlineData("user@example.org/", "prpl-jabber")]
    [InlineData("12345", "icq")]
    [InlineData("al \"ice\" (\\home) Zoë\t\n\r\u0001", "a b")]
    [InlineData("#|()[]{}&", "*")]
    public void What_is_written_is_read_back(string name, string protocol)
    {
        var key = new LibotrAccountKey(name, protocol, First);
        var buffer = new ArrayBufferWriter<byte>();
        LibotrPrivateKeyFile.Write([key], buffer);
        var read = Assert.Single(Read(buffer.WrittenSpan.ToArray()));
        Assert.Equal((name, protocol), (read.AccountName, read.Protocol));
        Assert.Equal(First.ExportX(), read.Key.ExportX());
    }

    [Theory]
    [InlineData("", "line 1, column 1")]
    [InlineData("alice\tprpl-irc\t00000100\n", "not a private key file")]
    [InlineData("(privkeys\n (acount))", "line 2, column 3")]
    [InlineData("(privkeys (account (name a) (protocol b)))", "without a private key")]
    [InlineData("(privkeys (account (name a) (name a)))", "second name")]
    [InlineData("(privkeys (account (name \"\")))", "empty name")]
    [InlineData("(privkeys (account (name #ff#)))", "not UTF-8")]
    [InlineData("(privkeys (account (name #00#)))", "zero byte")]
    [InlineData("(privkeys (account (name #6#)))", "odd number of hex digits")]
    [InlineData("(privkeys (account (name #6g#)))", "no hex digit")]
    [InlineData("(privkeys (account (name |Y!|)))", "not base64")]
    [InlineData("(privkeys (account (name |Y|)))", "cut off")]
    [InlineData("(privkeys (account (name \"\\q\")))", "unknown escape")]
    [InlineData("(privkeys (account (name \"\\x4\")))", "unknown escape")]
    [InlineData("(privkeys (account (name \"\\400\")))", "unknown escape")]
    [InlineData("(privkeys (account (name 999:alice)))", "cut off")]
    [InlineData("(privkeys (account (name 99999999999999999999:alice)))", "longer than")]
    [InlineData("(privkeys (account (name 4\"alice\")))", "another length")]
    [InlineData("(privkeys (account (name [hint]a)))", "no place here")]
    [InlineData("(privkeys (account (name a b)))", "')' expected")]
    [InlineData("(privkeys) x", "after the last")]
    [InlineData("(privkeys))", "')' without '('")]
    [InlineData("(privkeys (account ((((((((((((((((((", "without a name")]
    [InlineData("(privkeys (account (z (((((((((((((((((((", "nested deeper")]
    [InlineData("(privkeys (account (z (((", "without its ')'")]
    public void A_damaged_file_is_refused_and_says_where(string file, string says)
    {
        Assert.False(LibotrPrivateKeyFile.TryParse(Encoding.UTF8.GetBytes(file), out var keys, out var problem));
        Assert.Empty(keys);
        Assert.Contains(says, problem);
        Assert.StartsWith("line ", problem);
        Assert.Contains("; ", problem);
    }

    [Fact]
    public void A_deep_nest_ends_early()
    {
        var file = Ascii("(privkeys (account (z " + new string('(', LibotrFileLimits.MaxDepth - 3) + new string(')', LibotrFileLimits.MaxDepth - 3) + ")))");
        Assert.False(LibotrPrivateKeyFile.TryParse(file, out _, out var problem));
        Assert.Contains("account without a name", problem);
        file = Ascii("(privkeys (account (z " + new string('(', 1_000_000));
        Assert.False(LibotrPrivateKeyFile.TryParse(file, out _, out problem));
        Assert.Contains("column " + (22 + LibotrFileLimits.MaxDepth - 2), problem);
    }

    [Fact]
    public void Bounds_hold()
    {
        Assert.False(LibotrPrivateKeyFile.TryParse(new byte[LibotrFileLimits.MaxFileBytes + 1], out _, out var problem));
        Assert.Contains("longer than", problem);
        var longest = new string('a', LibotrFileLimits.MaxAtomBytes);
        Assert.Equal(longest, Read(File(Account(longest, "x")))[0].AccountName);
        foreach (var tooLong in new[] { longest + "a", $"\"{longest}a\"", $"#{string.Concat(Enumerable.Repeat("61", 1025))}#", $"1025:{longest}a" })
        {
            Assert.False(LibotrPrivateKeyFile.TryParse(File(Account(tooLong, "x")), out _, out problem));
            Assert.Contains("longer than", problem);
        }
    }

    [Fact]
    public void A_key_whose_numbers_are_missing_or_doubled_is_refused()
    {
        foreach (var name in "pqgyx")
        {
            var whole = Encoding.Latin1.GetString(File(Account("a", "b")));
            var entry = System.Text.RegularExpressions.Regex.Match(whole, $@"\({name} #[0-9A-F]+#\)").Value;
            Assert.False(LibotrPrivateKeyFile.TryParse(Ascii(whole.Replace(entry, "")), out _, out var problem));
            Assert.Contains($"without its number {name}", problem);
            Assert.False(LibotrPrivateKeyFile.TryParse(Ascii(whole.Replace(entry, entry + entry)), out _, out problem));
            Assert.Contains($"the number {name} twice", problem);
            Assert.False(LibotrPrivateKeyFile.TryParse(Ascii(whole.Replace(entry, $"({name})")), out _, out problem));
            Assert.Contains($"the number {name} has no value", problem);
        }
    }

    [Fact]
    public void A_key_whose_numbers_do_not_belong_together_is_refused()
    {
        foreach (var number in new[] { P, Q, First.PublicKey.G, First.PublicKey.Y, First.ExportX() })
        {
            var whole = Encoding.Latin1.GetString(File(Account("a", "b")));
            var other = (byte[])number.Clone();
            other[^1] ^= 2;
            var damaged = whole.Replace(Convert.ToHexString(number), Convert.ToHexString(other));
            Assert.NotEqual(whole, damaged);
            Assert.False(LibotrPrivateKeyFile.TryParse(Ascii(damaged), out _, out var problem));
            Assert.Contains("do not belong together", problem);
            Assert.StartsWith("line 14, ", problem);
        }
    }

    [Fact]
    public void A_problem_holds_nothing_of_the_file()
    {
        var whole = Encoding.Latin1.GetString(File(Account("MARKEDNAME", "MARKEDPROTOCOL")));
        foreach (var damaged in new[] { whole[..^2], whole.Replace("(dsa", "(rsa"), whole.Replace("(x #", "(x #g") })
        {
            Assert.False(LibotrPrivateKeyFile.TryParse(Ascii(damaged), out _, out var problem));
            Assert.DoesNotContain("MARKED", problem);
            Assert.DoesNotContain(Convert.ToHexString(First.ExportX())[..6], problem);
        }
    }

    [Fact]
    public void Truncation_at_every_byte_is_refused()
    {
        var file = File(Account("alice", "prpl-jabber"));
        for (int length = 0; length < file.Length - 1; length++)
        {
            Assert.False(LibotrPrivateKeyFile.TryParse(file.AsSpan(0, length), out var keys, out var problem));
            Assert.Empty(keys);
            Assert.NotNull(problem);
        }
    }

    [Fact]
    public void Flipped_bytes_never_throw()
    {
        var file = File(Account("alice", "prpl-jabber"));
        var random = new Random(5);
        for (int i = 0; i < 300; i++)
        {
            var damaged = (byte[])file.Clone();
            for (int n = random.Next(1, 4); n > 0; n--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            Assert.Equal(LibotrPrivateKeyFile.TryParse(damaged, out var keys, out var problem), problem is null);
            Assert.True(problem is null || keys.Count == 0);
        }
    }

    [Fact]
    public void Misuse_is_an_exception()
    {
        foreach (var name in new[] { "", "a\0b", new string('a', LibotrFileLimits.MaxAtomBytes + 1) })
        {
            var key = new LibotrAccountKey(name, "x", First);
            Assert.Throws<ArgumentException>(() => LibotrPrivateKeyFile.Write([key], new ArrayBufferWriter<byte>()));
        }
    }

    private static IReadOnlyList<LibotrAccountKey> Read(byte[] file)
    {
        Assert.True(LibotrPrivateKeyFile.TryParse(file, out var keys, out var problem), problem);
        return keys;
    }

    private static byte[] File(params byte[][] accounts) => [.. "(privkeys\n"u8, .. accounts.SelectMany(a => a), .. ")\n"u8];

    private static byte[] Account(string name, string protocol) => Account(Encoding.UTF8.GetBytes(name), Ascii(protocol), First, Hex(Q));

    private static byte[] Account(byte[] name, byte[] protocol, DsaPrivateKey key, byte[] q) =>
        [.. " (account\n(name "u8, .. name, .. ")\n(protocol "u8, .. protocol, .. ")\n(private-key \n (dsa \n  (p "u8, .. Hex(key.PublicKey.P),
         .. ")\n  (q "u8, .. q, .. ")\n  (g "u8, .. Hex(key.PublicKey.G), .. ")\n  (y "u8, .. Hex(key.PublicKey.Y), .. ")\n  (x "u8, .. Hex(key.ExportX()), .. ")\n )\n )\n )\n"u8];

    private static byte[] Hex(byte[] number) => Ascii("#00" + Convert.ToHexString(number) + "#");

    private static byte[] Ascii(string text) => Encoding.Latin1.GetBytes(text);

    private static IEnumerable<byte> Quoted(byte b) => b is (byte)'"' or (byte)'\\' ? [(byte)'\\', b] : [b];
}
