using System.Buffers;
using System.Text;

namespace Otr.Core.Tests.Keys;

/// <summary><c>otr.fingerprints</c> and <c>otr.instance_tags</c>: every form that libotr takes, and what is refused.</summary>
public sealed class LibotrLineFileTests
{
    private const string Hex = "0102030405060708090a0b0c0d0e0f1011121314";

    [Theory]
    [InlineData("bob\talice\tprpl-irc\t" + Hex + "\tverified\n", "verified")]
    [InlineData("bob\talice\tprpl-irc\t" + Hex + "\tsmp\n", "smp")]
    [InlineData("bob\talice\tprpl-irc\t" + Hex + "\tany words\n", "any words")]
    [InlineData("bob\talice\tprpl-irc\t" + Hex + "\t\n", "")]
    [InlineData("bob\talice\tprpl-irc\t" + Hex + "\n", "")]
    [InlineData("bob\talice\tprpl-irc\t" + Hex + "\tverified\r\n", "verified")]
    [InlineData("bob\talice\tprpl-irc\t" + Hex + "\tverified\r", "verified")]
    [InlineData("bob\talice\tprpl-irc\t" + Hex + "\tverified", "verified")]
    [InlineData("bob\talice\tprpl-irc\t" + Hex + "\tverified\tmore\n", "verified")]
    [InlineData("# a comment\n\nbob\talice\tprpl-irc\t" + Hex + "\tverified\n", "verified")]
    public void A_fingerprint_line_in_any_form(string file, string trust)
    {
        Assert.True(LibotrFingerprintFile.TryParse(Encoding.UTF8.GetBytes(file), out var read, out var problem), problem);
        var line = Assert.Single(read);
        Assert.Equal(("bob", "alice", "prpl-irc", Hex, trust), (line.Username, line.AccountName, line.Protocol, line.Fingerprint.ToHex(), line.Trust.Label));
        Assert.Equal(trust.Length > 0, line.Trust.IsTrusted);
    }

    [Fact]
    public void Names_may_have_spaces_and_digits_either_case()
    {
        Assert.True(LibotrFingerprintFile.TryParse(Encoding.UTF8.GetBytes("Bob Ünïcode (x)\tal ice\ta b\t" + Hex.ToUpperInvariant() + "\t\n"), out var read, out _));
        Assert.Equal(("Bob Ünïcode (x)", "al ice", "a b", Hex), (read[0].Username, read[0].AccountName, read[0].Protocol, read[0].Fingerprint.ToHex()));
    }

    [Theory]
    [InlineData("bob\talice\tprpl-irc\n")]
    [InlineData("bob\talice\n")]
    [InlineData("bob\talice\tprpl-irc\t0102030405060708090a0b0c0d0e0f101112131\t\n")]
    [InlineData("bob\talice\tprpl-irc\t0102030405060708090a0b0c0d0e0f10111213145\t\n")]
    [InlineData("bob\talice\tprpl-irc\t0102030405060708090a0b0c0d0e0f101112131g\t\n")]
    [InlineData("bob\talice\tprpl-irc\t01020304 5060708090a0b0c0d0e0f1011121314 \t\n")]
    [InlineData("b\0b\talice\tprpl-irc\t" + Hex + "\t\n")]
    public void A_bad_fingerprint_line_is_a_problem_that_names_the_line(string bad)
    {
        var good = "bob\talice\tprpl-irc\t" + Hex + "\t\n";
        Assert.False(LibotrFingerprintFile.TryParse(Encoding.UTF8.GetBytes(good + bad + good), out var read, out var problem));
        Assert.Empty(read);
        Assert.StartsWith("line 2: ", problem);
        Assert.Contains("correct the line or remove it", problem);
        Assert.DoesNotContain("alice", problem);
    }

    [Fact]
    public void A_fingerprint_line_that_is_not_utf_8_or_too_long_is_a_problem()
    {
        Assert.False(LibotrFingerprintFile.TryParse([0xFF, .. Encoding.UTF8.GetBytes("\talice\tprpl-irc\t" + Hex + "\t\n")], out _, out var problem));
        Assert.Contains("UTF-8", problem);
        var rest = "\ta\tp\t" + Hex + "\t\n";
        var longest = new string('b', LibotrFileLimits.MaxLineBytes - rest.Length);
        Assert.True(LibotrFingerprintFile.TryParse(Encoding.UTF8.GetBytes(longest + rest), out var read, out _));
        Assert.False(LibotrFingerprintFile.TryParse(Encoding.UTF8.GetBytes("b" + longest + rest), out _, out problem));
        Assert.StartsWith("line 1: longer than", problem);
        LibotrFingerprintFile.Write(read, new ArrayBufferWriter<byte>());
        Assert.Throws<ArgumentException>(() => LibotrFingerprintFile.Write([read[0] with { Username = "b" + longest }], new ArrayBufferWriter<byte>()));
    }

    [Fact]
    public void Fingerprints_written_are_read_back()
    {
        Assert.True(Fingerprint.TryParse(Hex, out var fingerprint));
        LibotrFingerprint[] all =
        [
            new("bob", "alice", "prpl-irc", fingerprint, TrustLevel.Verified), new("Bob Ü", "al ice", "x", fingerprint, TrustLevel.Smp),
            new("carol", "alice", "prpl-irc", fingerprint, TrustLevel.Untrusted),
        ];
        var buffer = new ArrayBufferWriter<byte>();
        LibotrFingerprintFile.Write(all, buffer);
        Assert.StartsWith("bob\talice\tprpl-irc\t" + Hex + "\tverified\n", Encoding.UTF8.GetString(buffer.WrittenSpan));
        Assert.True(LibotrFingerprintFile.TryParse(buffer.WrittenSpan, out var read, out _));
        Assert.Equal(all, read);
    }

    [Fact]
    public void Columns_that_would_break_the_file_are_misuse()
    {
        foreach (var bad in new[] { "a\tb", "a\nb", "a\rb", "a\0b" })
        {
            Assert.Throws<ArgumentException>(() => LibotrFingerprintFile.Write([new(bad, "a", "p", default, default)], new ArrayBufferWriter<byte>()));
            Assert.Throws<ArgumentException>(() => LibotrFingerprintFile.Write([new("b", "a", "p", default, new TrustLevel(bad))], new ArrayBufferWriter<byte>()));
            Assert.Throws<ArgumentException>(() => LibotrInstanceTagFile.Write([new(bad, "p", 0x100)], new ArrayBufferWriter<byte>()));
        }
        Assert.Throws<ArgumentException>(() => LibotrInstanceTagFile.Write([new("a", "p", 0xFF)], new ArrayBufferWriter<byte>()));
    }

    [Theory]
    [InlineData("00000100", 0x100u)]
    [InlineData("ffffffff", 0xFFFFFFFFu)]
    [InlineData("80000000", 0x80000000u)]
    [InlineData("DeadBeef", 0xDEADBEEFu)]
    public void An_instance_tag_in_any_form(string digits, uint tag)
    {
        var file = Encoding.UTF8.GetBytes($"# WARNING! whatever\nal ice\tprpl-irc\t{digits}\r\n");
        Assert.True(LibotrInstanceTagFile.TryParse(file, out var tags, out var passedOver, out _));
        Assert.Equal(new LibotrInstanceTag("al ice", "prpl-irc", tag), Assert.Single(tags));
        Assert.Empty(passedOver);
    }

    [Theory]
    [InlineData("000000ff")]
    [InlineData("00000000")]
    [InlineData("0x001234")]
    [InlineData("1234567")]
    [InlineData("123456789")]
    [InlineData(" 1234567")]
    [InlineData("+1234567")]
    [InlineData("12345678\tmore")]
    [InlineData("")]
    public void A_line_without_a_valid_tag_is_passed_over_and_named(string digits)
    {
        var file = Encoding.UTF8.GetBytes($"# comment\nalice\tp\t{digits}\nbob\tp\t12345678\n");
        Assert.True(LibotrInstanceTagFile.TryParse(file, out var tags, out var passedOver, out _));
        Assert.Equal("bob", Assert.Single(tags).AccountName);
        Assert.StartsWith("line 2: ", Assert.Single(passedOver));
        Assert.DoesNotContain("alice", passedOver[0]);
    }

    [Fact]
    public void The_last_of_an_account_s_tags_stands()
    {
        Assert.True(LibotrInstanceTagFile.TryParse("a\tp\t00000111\nb\tp\t00000222\na\tp\t00000333\n"u8, out var tags, out _, out _));
        Assert.Equal([new("a", "p", 0x333), new("b", "p", 0x222)], tags);
    }

    [Fact]
    public void Instance_tags_written_are_read_back()
    {
        LibotrInstanceTag[] all = [new("alice", "prpl-irc", 0x100), new("al ice", "prpl-jabber", 0xFFFFFFFF)];
        var buffer = new ArrayBufferWriter<byte>();
        LibotrInstanceTagFile.Write(all, buffer);
        var text = Encoding.UTF8.GetString(buffer.WrittenSpan);
        Assert.StartsWith("# WARNING!", text);
        Assert.EndsWith("\nalice\tprpl-irc\t00000100\nal ice\tprpl-jabber\tffffffff\n", text);
        Assert.True(LibotrInstanceTagFile.TryParse(buffer.WrittenSpan, out var tags, out _, out _));
        Assert.Equal(all, tags);
    }

    [Fact]
    public void Files_are_bounded()
    {
        var huge = new byte[LibotrFileLimits.MaxFileBytes + 1];
        Assert.False(LibotrFingerprintFile.TryParse(huge, out _, out var problem));
        Assert.Contains("longer than", problem);
        Assert.False(LibotrInstanceTagFile.TryParse(huge, out _, out _, out problem));
        Assert.Contains("longer than", problem);
        var lines = string.Concat(Enumerable.Repeat("b\ta\tp\t" + Hex + "\n", LibotrFileLimits.MaxEntries + 1));
        Assert.False(LibotrFingerprintFile.TryParse(Encoding.ASCII.GetBytes(lines), out _, out problem));
        Assert.StartsWith($"line {LibotrFileLimits.MaxEntries + 1}: ", problem);
        lines = string.Concat(Enumerable.Repeat("a\tp\tx\n", LibotrFileLimits.MaxEntries + 1));
        Assert.False(LibotrInstanceTagFile.TryParse(Encoding.ASCII.GetBytes(lines), out _, out _, out problem));
        Assert.StartsWith($"line {LibotrFileLimits.MaxEntries + 1}: ", problem);
    }

    [Fact]
    public void Truncated_and_flipped_files_never_throw()
    {
        var fingerprints = Encoding.UTF8.GetBytes("bob\talice\tprpl-irc\t" + Hex + "\tverified\ncärol\talice\tp\t" + Hex + "\n");
        var tags = Encoding.UTF8.GetBytes("# WARNING!\nalice\tprpl-irc\t00000100\nböb\tp\tffffffff\n");
        var random = new Random(7);
        foreach (var file in new[] { fingerprints, tags })
        {
            for (int length = 0; length <= file.Length; length++) Take(file[..length]);
            for (int i = 0; i < 2000; i++)
            {
                var damaged = (byte[])file.Clone();
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
                Take(damaged);
            }
        }

        static void Take(byte[] file)
        {
            Assert.Equal(LibotrFingerprintFile.TryParse(file, out var fingerprints, out var problem), problem is null);
            Assert.True(problem is null || fingerprints.Count == 0);
            Assert.True(LibotrInstanceTagFile.TryParse(file, out _, out _, out _));
        }
    }

    [Fact]
    public void Trust_levels_compare_by_label()
    {
        Assert.Equal(TrustLevel.Smp, new TrustLevel("smp"));
        Assert.Equal(TrustLevel.Untrusted, new TrustLevel(""));
        Assert.NotEqual(TrustLevel.Smp, TrustLevel.Verified);
        Assert.Equal("", TrustLevel.Untrusted.Label);
    }
}
