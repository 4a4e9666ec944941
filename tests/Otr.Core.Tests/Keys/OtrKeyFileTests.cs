using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Otr.Core.Tests.Crypto;
using Otr.Core.Tests.Kit;
using Otr.Core.Tests.Smp;

namespace Otr.Core.Tests.Keys;

/// <summary>Key files as people have them: other programs', saved by editors, with a damaged account among sound ones.</summary>
public sealed class OtrKeyFileTests
{
    private static readonly DsaPrivateKey First = TestKeys.Of(1), Second = TestKeys.Of(2);

    private static byte[] Libotr(params (string Name, string Protocol, DsaPrivateKey Key)[] accounts)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        LibotrPrivateKeyFile.Write(accounts.Select(a => new LibotrAccountKey(a.Name, a.Protocol, a.Key)), buffer);
        return buffer.WrittenSpan.ToArray();
    }

    private static byte[] Serialized(DsaPrivateKey key) =>
        new Fields().Raw(Primitives.PublicKey(key.PublicKey)).Data(key.ExportX()).ToArray();

    private static Fingerprint[] Fingerprints(OtrKeyFileContent content) => [.. content.Keys.Select(k => k.Key.PublicKey.Fingerprint)];

    [Fact]
    public void The_accounts_of_a_file_are_listed_with_their_names()
    {
        using var content = OtrKeyFile.Read(Libotr(("alice@example.org", "prpl-jabber", First), ("al", "prpl-irc", Second)));
        Assert.Equal([("alice@example.org", "prpl-jabber"), ("al", "prpl-irc")], content.Keys.Select(k => (k.AccountName, k.Protocol)));
        Assert.Equal([First.PublicKey.Fingerprint, Second.PublicKey.Fingerprint], Fingerprints(content));
        Assert.Empty(content.Problems);
        Assert.Contains("libotr", content.Format);
    }

    [Theory]
    [InlineData("alice@example.org", 1)]
    [InlineData("bob@example.org", 2)]
    [InlineData("bob@example.or", 0)]
    [InlineData("carol@example.org", 0)]
    [InlineData("Alice@example.org", 0)]
    public void Of_several_accounts_the_one_of_the_address_is_chosen(string address, int expected)
    {
        using var content = OtrKeyFile.Read(Libotr(("alice@example.org", "prpl-jabber", First), ("bob@example.org/Home", "prpl-jabber", Second),
            ("carol@example.org/a", "prpl-jabber", First), ("carol@example.org/b", "prpl-jabber", Second)));
        var chosen = expected switch { 1 => First, 2 => Second, _ => null };
        Assert.Equal(chosen?.PublicKey.Fingerprint, content.KeyFor(address)?.Key.PublicKey.Fingerprint);
        using var single = OtrKeyFile.Read(Libotr(("alice@example.org", "prpl-jabber", First)));
        Assert.Equal(First.PublicKey.Fingerprint, single.KeyFor(address)?.Key.PublicKey.Fingerprint);
    }

    [Theory]
    [InlineData("(dsa", "(rsa", "without a private key")]
    [InlineData("(x #", "(z #", "without its number x")]
    [InlineData("(protocol", "(protocoll", "without a protocol")]
    [InlineData("(q #", "(q #01", "do not belong together")]
    public void A_damaged_account_is_named_and_the_others_are_read(string sound, string damaged, string reason)
    {
        var whole = Encoding.Latin1.GetString(Libotr(("alice", "prpl-irc", First), ("bob", "prpl-irc", Second)));
        var at = whole.IndexOf(sound, StringComparison.Ordinal);
        var file = Encoding.Latin1.GetBytes(whole[..at] + damaged + whole[(at + sound.Length)..]);
        using var content = OtrKeyFile.Read(file);
        Assert.Equal([("bob", Second.PublicKey.Fingerprint)], content.Keys.Select(k => (k.AccountName, k.Key.PublicKey.Fingerprint)));
        var problem = Assert.Single(content.Problems);
        Assert.Equal("alice", problem.AccountName);
        Assert.StartsWith("line ", problem.Reason);
        Assert.Contains(reason, problem.Reason);
        Assert.DoesNotContain("alice", problem.Reason);
        // The strict reader refuses the whole of it, as before.
        Assert.False(LibotrPrivateKeyFile.TryParse(file, out var keys, out var strict));
        Assert.Empty(keys);
        Assert.Equal(problem.Reason, strict);
    }

    public static TheoryData<string> Encodings => ["utf-8", "utf-16", "utf-16BE"];

    private static byte[] Saved(string text, string encoding)
    {
        var saved = Encoding.GetEncoding(encoding);
        return [.. saved.GetPreamble(), .. saved.GetBytes(text)];
    }

    [Theory]
    [MemberData(nameof(Encodings))]
    public void A_file_that_an_editor_saved_is_read(string encoding)
    {
        var file = Saved(Encoding.UTF8.GetString(Libotr(("zoë", "prpl-jabber", First))), encoding);
        using var content = OtrKeyFile.Read(file);
        Assert.Equal([("zoë", First.PublicKey.Fingerprint)], content.Keys.Select(k => (k.AccountName, k.Key.PublicKey.Fingerprint)));
        Assert.True(LibotrPrivateKeyFile.TryParse(file, out var keys, out _));
        Assert.Equal("zoë", Assert.Single(keys).AccountName);
        var line = $"zoë\talice\tprpl-irc\t{First.PublicKey.Fingerprint.ToHex()}\tverified\n";
        Assert.True(LibotrFingerprintFile.TryParse(Saved(line, encoding), out var fingerprints, out _));
        Assert.Equal("zoë", Assert.Single(fingerprints).Username);
    }

    [Fact]
    public void A_key_that_potr_wrote_is_read()
    {
        Assert.SkipWhen(PotrSmpPeer.Missing is not null, PotrSmpPeer.Missing ?? "");
        // potr's own maker of keys does not run on today's pycryptodome; its writer does.
        const string script = """
            import sys
            from potr.compatcrypto.pycrypto import DSAKey
            k = DSAKey(tuple(int(n, 16) for n in sys.argv[1:]), private=True)
            print(k.serializePrivateKey().hex(), k.cfingerprint())
            """;
        var key = First.PublicKey;
        var numbers = new[] { key.Y, key.G, key.P, key.Q, First.ExportX() }.Select(Convert.ToHexString);
        var start = new ProcessStartInfo("/usr/bin/python3", ["-c", script, .. numbers]) { RedirectStandardOutput = true };
        using var python = Process.Start(start)!;
        var words = python.StandardOutput.ReadToEnd().Split((char[])[' ', '\n']);
        var file = Convert.FromHexString(words[0]);
        using var content = OtrKeyFile.Read(file);
        Assert.Contains("Gajim", content.Format);
        Assert.Equal(words[1], Assert.Single(content.Keys).Key.PublicKey.Fingerprint.ToHex(), ignoreCase: true);
        foreach (var damaged in (byte[][])[file[..^1], [.. file, 0], [.. file[..^1], (byte)(file[^1] ^ 1)]])
        {
            using var none = OtrKeyFile.Read(damaged);
            Assert.Empty(none.Keys);
            Assert.Contains("Gajim", none.Format);
            Assert.Single(none.Problems);
        }
    }

    [Fact]
    public void Keys_in_coyim_s_configuration_are_read()
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(new
        {
            Bell = true,
            Accounts = new object[]
            {
                new { Account = "alice@example.org", PrivateKeys = new[] { Convert.ToBase64String(Serialized(First)) }, Peers = 0 },
                new { Account = "bob@example.org", PrivateKeys = new[] { "AAAA", Convert.ToBase64String(Serialized(Second)) } },
            },
        });
        using var content = OtrKeyFile.Read(json);
        Assert.Contains("CoyIM", content.Format);
        Assert.Equal(["alice@example.org", "bob@example.org"], content.Keys.Select(k => k.AccountName));
        Assert.Equal([First.PublicKey.Fingerprint, Second.PublicKey.Fingerprint], Fingerprints(content));
        Assert.Equal("bob@example.org", Assert.Single(content.Problems).AccountName);
    }

    [Fact]
    public void A_keyczar_key_is_read()
    {
        // Java's numbers are signed: one whose highest bit is set has a zero before it.
        static string Number(byte[] n) => System.Buffers.Text.Base64Url.EncodeToString(n[0] > 127 ? [0, .. n] : n);
        static byte[] File(object open, DsaPrivateKey key) =>
            JsonSerializer.SerializeToUtf8Bytes(new { publicKey = open, x = Number(key.ExportX()), size = 1024 });
        var key = First.PublicKey;
        var open = new { p = Number(key.P), q = Number(key.Q), g = Number(key.G), y = Number(key.Y), size = 1024 };
        using var content = OtrKeyFile.Read(File(open, First));
        Assert.Contains("keyczar", content.Format);
        Assert.Equal([First.PublicKey.Fingerprint], Fingerprints(content));
        using var damaged = OtrKeyFile.Read(File(open, Second));
        Assert.Empty(damaged.Keys);
        Assert.Contains("keyczar", damaged.Format);
    }

    [Fact]
    public void Java_properties_are_read()
    {
        var key = OpenSslDsa2048.Import();
        var (p, q, g, y, x) = (OpenSslDsa2048.P, OpenSslDsa2048.Q, OpenSslDsa2048.G, OpenSslDsa2048.Y, OpenSslDsa2048.X);
        using var dsa = DSA.Create(new DSAParameters { P = p, Q = q, G = g, Y = y, X = x });
        var base64 = Convert.ToBase64String(dsa.ExportPkcs8PrivateKey()).Replace("=", "\\=");
        using var content = OtrKeyFile.Read(Encoding.ASCII.GetBytes($"""
            #Sun Jan 01 00:00:00 UTC 2017
            net.java.sip.communicator.plugin.otr.Jabber_alice_example_org_publicKey=AAAA
            net.java.sip.communicator.plugin.otr.Jabber_alice_example_org_privateKey={base64}
            bob.privateKey=bm90IGEga2V5
            """));
        Assert.Contains("Jitsi", content.Format);
        var read = Assert.Single(content.Keys);
        Assert.Equal(("Jabber_alice_example_org", key.PublicKey.Fingerprint), (read.AccountName, read.Key.PublicKey.Fingerprint));
        var problem = Assert.Single(content.Problems);
        Assert.Equal("bob", problem.AccountName);
        Assert.StartsWith("line 4: ", problem.Reason);
    }

    [Theory]
    [InlineData("# WARNING!\nalice\tprpl-irc\t5a73a599\n", "instance tag", "no key")]
    [InlineData("bob\talice\tprpl-irc\t0102030405060708090a0b0c0d0e0f1011121314\t\n", "fingerprint", "no key")]
    [InlineData("{\"a\": 1}", "JSON", "no DSA key")]
    [InlineData("{\"a\": ", "JSON", "not readable")]
    [InlineData("(privkeys)", "libotr", "no account")]
    [InlineData("(privkeys (account", "libotr", "line 1")]
    [InlineData("hello", "unknown", "no key file")]
    [InlineData("", "unknown", "no key file")]
    public void A_file_without_a_key_is_recognised_and_says_what_to_do(string file, string format, string reason)
    {
        using var content = OtrKeyFile.Read(Encoding.UTF8.GetBytes(file));
        Assert.Empty(content.Keys);
        Assert.Contains(format, content.Format);
        Assert.Contains(reason, Assert.Single(content.Problems).Reason);
    }

    [Fact]
    public void Damage_anywhere_is_no_exception_and_no_other_key()
    {
        var random = new Random(4);
        byte[][] files = [Libotr(("alice", "x", First)), Serialized(First), Saved("(privkeys (account (name a)))", "utf-16")];
        foreach (var file in files)
        {
            for (var i = 0; i < 500; i++)
            {
                var damaged = (byte[])file.Clone();
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
                if (i % 3 == 0) damaged = damaged[..random.Next(damaged.Length)];
                using var content = OtrKeyFile.Read(damaged);
                Assert.All(Fingerprints(content), f => Assert.Equal(First.PublicKey.Fingerprint, f));
                Assert.NotEqual(0, content.Keys.Count + content.Problems.Count);
            }
        }
    }

    [Theory]
    [InlineData("bob alice prpl-irc {0} verified", "bob", "verified")]
    [InlineData("bob   alice  prpl-irc {0}", "bob", "")]
    [InlineData("  bob alice prpl-irc {0}  compared by phone ", "bob", "compared by phone")]
    public void Fingerprints_whose_tabs_became_blanks_are_read(string line, string name, string trust)
    {
        var text = string.Format(System.Globalization.CultureInfo.InvariantCulture, line, First.PublicKey.Fingerprint.ToHex());
        Assert.True(LibotrFingerprintFile.TryParse(Encoding.UTF8.GetBytes(text + "\n"), out var read, out var problem), problem);
        var fingerprint = Assert.Single(read);
        Assert.Equal((name, "alice", "prpl-irc", First.PublicKey.Fingerprint, trust),
            (fingerprint.Username, fingerprint.AccountName, fingerprint.Protocol, fingerprint.Fingerprint, fingerprint.Trust.Label));
    }

    [Theory]
    [InlineData("Bob Smith alice prpl-irc {0} verified")]
    [InlineData("alice prpl-irc {0}")]
    [InlineData("what is this")]
    public void A_fingerprint_line_that_cannot_be_told_apart_is_refused_and_named(string line)
    {
        var hex = First.PublicKey.Fingerprint.ToHex();
        var text = $"bob\talice\tprpl-irc\t{hex}\t\n\n# words\n" + line.Replace("{0}", hex, StringComparison.Ordinal) + "\n";
        Assert.False(LibotrFingerprintFile.TryParse(Encoding.UTF8.GetBytes(text), out var read, out var problem));
        Assert.Empty(read);
        Assert.StartsWith("line 4: no tabs", problem);
    }
}
