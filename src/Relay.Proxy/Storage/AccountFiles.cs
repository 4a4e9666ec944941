using System.Buffers;
using System.Security.Cryptography;
using Otr.Core;

namespace Relay.Proxy.Storage;

/// <summary>Brings an account's key and trust from another program, and gives them to one, in libotr's files.</summary>
public static class AccountFiles
{
    /// <summary>The names of libotr's files in most programs, and in irssi.</summary>
    private static readonly string[] s_keyNames = [AccountDirectory.KeyFile, "otr.key"],
        s_fingerprintNames = [AccountDirectory.FingerprintFile, "otr.fp"], s_tagNames = [AccountDirectory.TagFile, "otr.instag"];
    private static readonly string[] s_files = [AccountDirectory.KeyFile, AccountDirectory.FingerprintFile, AccountDirectory.TagFile];

    /// <summary>
    /// Reads key, fingerprints and instance tag of the account from a folder of another program. The account's directory must have no key
    /// yet: a key that contacts know is not overwritten.
    /// </summary>
    /// <param name="isAccount">Tells the account's name as other programs write it, for example with a resource.</param>
    /// <param name="contact">Turns a contact's name into the form in which it is compared; null: none is known.</param>
    /// <returns>The number of fingerprints.</returns>
    /// <exception cref="AccountDirectoryException">Nothing was changed; the message says why.</exception>
    public static int Import(ProxyAccountOptions options, string folder, Func<string, bool> isAccount, Func<string, string?> contact)
    {
        SafeFile.CreateFolder(options.Directory);
        var own = Path.Combine(options.Directory, AccountDirectory.KeyFile);
        if (File.Exists(own)) throw new AccountDirectoryException($"The account has a key already: move {own} away first.");
        var fingerprints = Fingerprints(options, PathOf(folder, s_fingerprintNames), isAccount, contact);
        var source = PathOf(folder, s_keyNames);
        var file = SafeFile.Read(source) ?? throw new AccountDirectoryException($"There is no {source}.");
        using (var content = OtrKeyFile.Read(file))
        {
            CryptographicOperations.ZeroMemory(file);
            var key = content.Keys.LastOrDefault(k => isAccount(k.AccountName)) ?? throw new AccountDirectoryException(
                $"{source} has no key of {options.Account}. It has {content.Keys.Count} of other accounts.");
            AccountDirectory.WriteKey(options.Directory, options.Account, options.Protocol, key.Key);
        }
        var buffer = new ArrayBufferWriter<byte>();
        LibotrFingerprintFile.Write(fingerprints, buffer);
        SafeFile.Write(Path.Combine(options.Directory, AccountDirectory.FingerprintFile), buffer.WrittenSpan);
        if (Tag(PathOf(folder, s_tagNames), isAccount) is { } tag)
        {
            buffer = new ArrayBufferWriter<byte>();
            LibotrInstanceTagFile.Write([new LibotrInstanceTag(options.Account, options.Protocol, tag)], buffer);
            SafeFile.Write(Path.Combine(options.Directory, AccountDirectory.TagFile), buffer.WrittenSpan);
        }
        return fingerprints.Count;
    }

    /// <summary>Writes the account's three files into a folder that has none of them.</summary>
    /// <exception cref="AccountDirectoryException">A file exists there, or the account has no key.</exception>
    public static void Export(ProxyAccountOptions options, string folder)
    {
        // The lock: a proxy that runs may be writing them.
        using var directory = AccountDirectory.Open(options);
        if (directory.IsNewKey) throw new AccountDirectoryException($"The account {options.Account} had no key yet: there is nothing to export.");
        SafeFile.CreateFolder(folder);
        if (s_files.FirstOrDefault(f => File.Exists(Path.Combine(folder, f))) is { } existing)
            throw new AccountDirectoryException($"{Path.Combine(folder, existing)} exists already: name another folder.");
        foreach (var name in s_files)
        {
            if (SafeFile.Read(Path.Combine(options.Directory, name)) is { } content)
                SafeFile.WriteSecret(Path.Combine(folder, name), content, content.Length);
        }
    }

    private static string PathOf(string folder, string[] names) =>
        names.Select(n => Path.Combine(folder, n)).FirstOrDefault(File.Exists) ?? Path.Combine(folder, names[0]);

    private static List<LibotrFingerprint> Fingerprints(
        ProxyAccountOptions options, string path, Func<string, bool> isAccount, Func<string, string?> contact)
    {
        if (SafeFile.Read(path) is not { } file) return [];
        if (!LibotrFingerprintFile.TryParse(file, out var all, out var problem)) throw new AccountDirectoryException($"{path}: {problem}.");
        return [.. all.Where(f => isAccount(f.AccountName)).Select(f => f with
        {
            Username = contact(f.Username) ?? f.Username, AccountName = options.Account, Protocol = options.Protocol,
        })];
    }

    private static uint? Tag(string path, Func<string, bool> isAccount)
    {
        if (SafeFile.Read(path) is not { } file) return null;
        if (!LibotrInstanceTagFile.TryParse(file, out var tags, out _, out var problem)) throw new AccountDirectoryException($"{path}: {problem}.");
        return tags.LastOrDefault(t => isAccount(t.AccountName))?.Tag;
    }
}
