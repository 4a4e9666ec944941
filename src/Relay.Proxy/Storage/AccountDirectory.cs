using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using Otr.Core;

namespace Relay.Proxy.Storage;

/// <summary>A file of the account's directory that cannot be used. The message says which, why, and what to do.</summary>
public sealed class AccountDirectoryException(string message) : Exception(message);

/// <summary>
/// One account's files: key, fingerprints and instance tag in libotr's formats, so that other programs read them, and the contacts' state.
/// One process has the directory at a time.
/// </summary>
internal sealed class AccountDirectory : IDisposable
{
    public const string KeyFile = "otr.private_key", FingerprintFile = "otr.fingerprints", TagFile = "otr.instance_tags";
    private const string ContactFile = "contacts.json", PendingFile = "pending.json", LockFile = "lock";

    private readonly string _path, _account, _protocol;
    private readonly FileStream _lock;

    private AccountDirectory(ProxyAccountOptions options, FileStream held)
    {
        (_path, _account, _protocol, _lock) = (options.Directory, options.Account, options.Protocol, held);
    }

    /// <summary>Opens the directory and takes its lock; makes it, and a key, at the first start.</summary>
    /// <exception cref="AccountDirectoryException">Another process has it, or a file is damaged.</exception>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    public static AccountDirectory Open(ProxyAccountOptions options)
    {
        SafeFile.CreateFolder(options.Directory);
        FileStream held;
        try
        {
            held = new FileStream(Path.Combine(options.Directory, LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new AccountDirectoryException(
                $"Another proxy runs for this account: stop it, or name another directory than {options.Directory}.");
        }
        var directory = new AccountDirectory(options, held);
        try
        {
            directory.Load();
            return directory;
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    /// <summary>True if a process has the directory.</summary>
    public static bool IsHeld(string path)
    {
        var file = Path.Combine(path, LockFile);
        if (!File.Exists(file)) return false;
        try
        {
            using var held = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            // Another user's: reading the key says so.
            return false;
        }
    }

    /// <summary>The account's key without taking the directory; null if there is none. The caller disposes it.</summary>
    /// <exception cref="AccountDirectoryException">The file is damaged, or has no key of the account.</exception>
    public static DsaPrivateKey? ReadKey(string path, string account, string protocol)
    {
        var name = Path.Combine(path, KeyFile);
        if (SafeFile.Read(name) is not { } file) return null;
        try
        {
            if (!LibotrPrivateKeyFile.TryParse(file, out var keys, out var problem)) throw Damaged(name, problem!);
            var own = LibotrPrivateKeyFile.Find(keys, account, protocol);
            foreach (var other in keys.Where(k => k != own)) other.Dispose();
            return own?.Key ?? throw Damaged(name, $"there is no key of the account {account}; import it with --import, or move the file away");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(file);
        }
    }

    public OtrAccount Account { get; private set; } = null!;

    /// <summary>The key was made by this start.</summary>
    public bool IsNewKey { get; private set; }

    public Dictionary<string, ContactRecord> Contacts { get; } = [];

    /// <summary>Fingerprints by contact, in the file's order.</summary>
    public Dictionary<string, List<KnownKey>> Keys { get; } = [];

    /// <summary>Private texts that the last run had accepted and not yet written, by contact.</summary>
    public Dictionary<string, int> Pending { get; private set; } = [];

    public void SaveContacts() =>
        SafeFile.Write(PathOf(ContactFile), JsonSerializer.SerializeToUtf8Bytes([.. Contacts.Values], StorageJson.Default.ListContactRecord));

    /// <summary>Not durable: it is for the end of this process, not for a loss of power.</summary>
    public void SavePending() =>
        SafeFile.Write(PathOf(PendingFile), JsonSerializer.SerializeToUtf8Bytes(Pending, StorageJson.Default.DictionaryStringInt32), isDurable: false);

    public void SaveKeys()
    {
        var buffer = new ArrayBufferWriter<byte>();
        LibotrFingerprintFile.Write(
            Keys.SelectMany(c => c.Value.Select(k => new LibotrFingerprint(c.Key, _account, _protocol, k.Fingerprint, k.Trust))), buffer);
        SafeFile.Write(PathOf(FingerprintFile), buffer.WrittenSpan);
    }

    public void Dispose()
    {
        Account?.Key.Dispose();
        _lock.Dispose();
    }

    private string PathOf(string name) => Path.Combine(_path, name);

    private void Load()
    {
        Account = new OtrAccount(ReadKey(_path, _account, _protocol) ?? MakeKey(), LoadTag() ?? MakeTag());
        LoadFingerprints();
        if (SafeFile.Read(PathOf(ContactFile)) is { } contacts)
        {
            foreach (var contact in Parse(contacts, StorageJson.Default.ListContactRecord, ContactFile)) Contacts[contact.Address] = contact;
        }
        if (SafeFile.Read(PathOf(PendingFile)) is { } pending)
            Pending = Parse(pending, StorageJson.Default.DictionaryStringInt32, PendingFile);
    }

    private T Parse<T>(byte[] json, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, string name)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            // A contact that was private must not become one in the clear because a file is damaged.
            throw Damaged(PathOf(name), $"{e.Message} Restore it from a backup, or remove it: then say again which contacts are private");
        }
    }

    private DsaPrivateKey MakeKey()
    {
        var key = DsaPrivateKey.Generate(SystemRandom.Instance);
        WriteKey(_path, _account, _protocol, key);
        IsNewKey = true;
        return key;
    }

    /// <summary>Writes a key file of libotr.</summary>
    internal static void WriteKey(string directory, string account, string protocol, DsaPrivateKey key)
    {
        var buffer = new WipedBuffer();
        LibotrPrivateKeyFile.Write([new LibotrAccountKey(account, protocol, key)], buffer);
        SafeFile.WriteSecret(Path.Combine(directory, KeyFile), buffer.Bytes, buffer.Length);
    }

    private uint? LoadTag()
    {
        if (SafeFile.Read(PathOf(TagFile)) is not { } file) return null;
        if (!LibotrInstanceTagFile.TryParse(file, out var tags, out _, out var problem)) throw Damaged(PathOf(TagFile), problem!);
        return tags.FirstOrDefault(t => t.AccountName == _account && t.Protocol == _protocol)?.Tag;
    }

    private uint MakeTag()
    {
        var tag = (uint)RandomNumberGenerator.GetInt32((int)LibotrInstanceTagFile.MinTag, int.MaxValue);
        var buffer = new ArrayBufferWriter<byte>();
        LibotrInstanceTagFile.Write([new LibotrInstanceTag(_account, _protocol, tag)], buffer);
        SafeFile.Write(PathOf(TagFile), buffer.WrittenSpan);
        return tag;
    }

    private void LoadFingerprints()
    {
        if (SafeFile.Read(PathOf(FingerprintFile)) is not { } file) return;
        if (!LibotrFingerprintFile.TryParse(file, out var fingerprints, out var problem)) throw Damaged(PathOf(FingerprintFile), problem!);
        foreach (var one in fingerprints.Where(f => f.AccountName == _account && f.Protocol == _protocol))
        {
            if (!Keys.TryGetValue(one.Username, out var keys)) Keys[one.Username] = keys = [];
            keys.Add(new KnownKey(one.Fingerprint, one.Trust));
        }
    }

    private static AccountDirectoryException Damaged(string path, string problem) => new($"{path} cannot be used: {problem}.");

    /// <summary>A growing buffer whose old arrays are wiped.</summary>
    private sealed class WipedBuffer : IBufferWriter<byte>
    {
        public byte[] Bytes { get; private set; } = new byte[4096];

        public int Length { get; private set; }

        public void Advance(int count) => Length += count;

        public Memory<byte> GetMemory(int sizeHint = 0)
        {
            if (Bytes.Length - Length < Math.Max(sizeHint, 1))
            {
                var larger = new byte[Math.Max(Bytes.Length * 2, Length + sizeHint)];
                Bytes.AsSpan(0, Length).CopyTo(larger);
                CryptographicOperations.ZeroMemory(Bytes);
                Bytes = larger;
            }
            return Bytes.AsMemory(Length);
        }

        public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
    }
}
