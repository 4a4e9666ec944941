using Otr.Core;
using Relay.Proxy.Irc;
using Relay.Proxy.Storage;

namespace Relay.Proxy.Tests.Storage;

/// <summary>One account's files: who may read them, who may use them at once, and how they come from other programs and go to them.</summary>
public sealed class AccountDirectoryTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("relay-account-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void The_files_are_the_owners_and_the_key_stays()
    {
        string fingerprint;
        using (var first = AccountDirectory.Open(Options("a")))
        {
            Assert.True(first.IsNewKey);
            first.SaveContacts();
            fingerprint = first.Account.Key.PublicKey.Fingerprint.ToHex();
        }
        foreach (var file in Directory.GetFiles(Folder("a")).Where(f => !f.EndsWith("lock", StringComparison.Ordinal)))
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Folder("a")));
        using var again = AccountDirectory.Open(Options("a"));
        Assert.False(again.IsNewKey);
        Assert.Equal(fingerprint, again.Account.Key.PublicKey.Fingerprint.ToHex());
    }

    [Fact]
    public void Two_proxies_of_one_account_do_not_run()
    {
        using var first = AccountDirectory.Open(Options("a"));
        var refusal = Assert.Throws<AccountDirectoryException>(() => AccountDirectory.Open(Options("a")));
        Assert.Contains("Another proxy runs", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("contacts.json")]
    [InlineData("pending.json")]
    [InlineData("otr.private_key")]
    [InlineData("otr.fingerprints")]
    public void A_damaged_file_stops_the_start(string name)
    {
        AccountDirectory.Open(Options("a")).Dispose();
        File.WriteAllText(Path.Combine(Folder("a"), name), "{ not this");
        var refusal = Assert.Throws<AccountDirectoryException>(() => AccountDirectory.Open(Options("a")).Dispose());
        Assert.Contains(name, refusal.Message, StringComparison.Ordinal);
        // The lock is free again.
        File.Delete(Path.Combine(Folder("a"), name));
        AccountDirectory.Open(Options("a")).Dispose();
    }

    [Fact]
    public void A_key_goes_out_and_comes_in_again_with_its_trust()
    {
        string fingerprint;
        var peer = DsaPrivateKey.Generate(SystemRandom.Instance).PublicKey.Fingerprint;
        using (var first = AccountDirectory.Open(Options("a")))
        {
            first.Keys["bob@example.org"] = [new KnownKey(peer, TrustLevel.Verified)];
            first.SaveKeys();
            fingerprint = first.Account.Key.PublicKey.Fingerprint.ToHex();
        }
        AccountFiles.Export(Options("a"), Folder("out"));
        Assert.Equal(1, AccountFiles.Import(Options("b"), Folder("out"), a => a == "alice@example.org", c => c));
        using var second = AccountDirectory.Open(Options("b"));
        Assert.Equal(fingerprint, second.Account.Key.PublicKey.Fingerprint.ToHex());
        Assert.True(Assert.Single(second.Keys["bob@example.org"]).Trust.IsTrusted);
        // A key that contacts know is not overwritten, here or there.
        Assert.Throws<AccountDirectoryException>(() => AccountFiles.Import(Options("b"), Folder("out"), _ => true, c => c));
        Assert.Throws<AccountDirectoryException>(() => AccountFiles.Export(Options("a"), Folder("out")));
        Assert.Throws<AccountDirectoryException>(() => AccountFiles.Import(Options("c"), Folder("out"), _ => false, c => c));
    }

    [Fact]
    public void Irssis_files_are_read_and_nicks_compared_as_IRC_does()
    {
        string fingerprint;
        var peer = DsaPrivateKey.Generate(SystemRandom.Instance).PublicKey.Fingerprint;
        var irssi = Options("irssi") with { Account = "Alice@IRC.example.org", Protocol = "IRC" };
        using (var first = AccountDirectory.Open(irssi))
        {
            first.Keys["Bob[x]"] = [new KnownKey(peer, TrustLevel.Verified)];
            first.SaveKeys();
            fingerprint = first.Account.Key.PublicKey.Fingerprint.ToHex();
        }
        File.Move(Path.Combine(Folder("irssi"), "otr.private_key"), Path.Combine(Folder("irssi"), "otr.key"));
        File.Move(Path.Combine(Folder("irssi"), "otr.fingerprints"), Path.Combine(Folder("irssi"), "otr.fp"));
        File.Move(Path.Combine(Folder("irssi"), "otr.instance_tags"), Path.Combine(Folder("irssi"), "otr.instag"));
        var own = Options("own") with { Account = "alice@irc.example.org", Protocol = IrcProxy.Protocol };
        Assert.Equal(1, AccountFiles.Import(own, Folder("irssi"), a => IrcProxy.IsSameAccount(a, "alice", "irc.example.org"), IrcProxy.Normalised));
        using var second = AccountDirectory.Open(own);
        Assert.Equal(fingerprint, second.Account.Key.PublicKey.Fingerprint.ToHex());
        Assert.True(Assert.Single(second.Keys["bob{x}"]).Trust.IsTrusted);
        Assert.False(IrcProxy.IsSameAccount("alice@irc.example.net", "alice", "irc.example.org"));
    }

    [Fact]
    public void The_password_for_clients_is_made_once()
    {
        var (first, file) = ClientPassword.LoadOrCreate(Folder("a"));
        Assert.Equal(32, first.Length);
        Assert.Equal(first, ClientPassword.LoadOrCreate(Folder("a")).Password);
        Assert.NotEqual(first, ClientPassword.LoadOrCreate(Folder("b")).Password);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Fact]
    public void The_certificate_for_clients_stays_and_names_the_domain_and_loopback()
    {
        using var first = ClientCertificate.LoadOrCreate(Folder("a"), "example.org");
        using var again = ClientCertificate.LoadOrCreate(Folder("a"), "example.org");
        Assert.Equal(first.Thumbprint, again.Thumbprint);
        foreach (var name in new[] { "example.org", "localhost", "127.0.0.1" }) Assert.True(first.MatchesHostname(name), name);
    }

    private string Folder(string name) => Path.Combine(_root, name);

    private ProxyAccountOptions Options(string name) =>
        new() { Account = "alice@example.org", Protocol = "prpl-jabber", Directory = Folder(name) };
}
