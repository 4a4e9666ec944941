using Otr.Core;
using Relay.Proxy.Storage;

namespace Relay.Proxy.Contacts;

/// <summary>
/// The account's contacts: which are private, with which there is a conversation, and what is kept on disk about them. Private is what the
/// memory says at once; in the clear only what the disk says.
/// </summary>
internal sealed class ContactBook : IDisposable
{
    private readonly ProxyAccountOptions _options;
    private readonly AccountDirectory _directory;
    private readonly Dictionary<string, PrivateContact> _open = [];
    private readonly HashSet<string> _known = [];

    /// <exception cref="IOException">The disk does not have which contacts are private by configuration.</exception>
    public ContactBook(ProxyAccountOptions options, AccountDirectory directory)
    {
        (_options, _directory) = (options, directory);
        var configured = options.PrivateContacts.Where(a => !IsPrivate(a)).ToList();
        foreach (var address in configured) RecordOf(address).IsPrivate = true;
        // Once private they stay so, also when the setting is gone: only the person's command makes them plain.
        if (configured.Count > 0) directory.SaveContacts();
        _known.UnionWith(directory.Keys.Keys);
    }

    public OtrAccount Account => _directory.Account;

    public IEnumerable<PrivateContact> Open => _open.Values;

    public IEnumerable<string> PrivateAddresses => _directory.Contacts.Values.Where(r => r.IsPrivate).Select(r => r.Address).Order(StringComparer.Ordinal);

    public bool IsPrivate(string address) => _directory.Contacts.TryGetValue(address, out var record) && record.IsPrivate;

    /// <summary>True if a private contact's address is such a one.</summary>
    public bool AnyPrivate(Func<string, bool> isSuch) => _directory.Contacts.Values.Any(r => r.IsPrivate && isSuch(r.Address));

    public bool IsFull => _directory.Contacts.Count >= ProxyLimits.Contacts;

    /// <summary>The person knows the contact: an unasked offer of a session may be answered.</summary>
    public bool IsKnown(string address) => _options.Answers == AnswerPolicy.Everybody || IsPrivate(address) || _known.Contains(address);

    public void MarkKnown(string address)
    {
        if (_known.Count < ProxyLimits.SeenAddresses) _known.Add(address);
    }

    /// <summary>The contact if there is a conversation with it.</summary>
    public PrivateContact? Find(string address) => _open.GetValueOrDefault(address);

    /// <summary>The contact with a conversation, which is made if there is none; null if there are too many contacts.</summary>
    public PrivateContact? Get(string address)
    {
        if (_open.TryGetValue(address, out var contact)) return contact;
        if (IsFull && !_directory.Contacts.ContainsKey(address)) return null;
        var record = RecordOf(address);
        contact = new PrivateContact(record, new OtrConversation(Account, Settings(address), PeerKeys(record)));
        _open.Add(address, contact);
        return contact;
    }

    /// <summary>Nothing goes to the contact in the clear from now on, whether or not the disk takes it.</summary>
    /// <exception cref="IOException">The disk does not have it.</exception>
    public void MakePrivate(string address)
    {
        var record = RecordOf(address);
        if (record.IsPrivate) return;
        record.IsPrivate = true;
        _directory.SaveContacts();
    }

    /// <summary>Text goes in the clear again, once the disk has it.</summary>
    /// <exception cref="IOException">The disk does not have it: the contact stays private.</exception>
    public void MakePlain(string address)
    {
        var record = RecordOf(address);
        record.IsPrivate = false;
        try
        {
            _directory.SaveContacts();
        }
        catch
        {
            record.IsPrivate = true;
            throw;
        }
    }

    /// <summary>
    /// The contact has another name: its conversation and its keys go on under that. What is kept under the old name stays, for the one who
    /// has it next. Not if there is a conversation under the new name, or a key that is not this contact's: names are not merged.
    /// </summary>
    /// <returns>True if the conversation has moved.</returns>
    /// <exception cref="IOException">The disk does not have it; the conversation has moved all the same.</exception>
    public bool Move(PrivateContact contact, string newAddress)
    {
        var keys = contact.Conversation.KnownKeys;
        if (_open.ContainsKey(newAddress) || IsFull && !_directory.Contacts.ContainsKey(newAddress)) return false;
        if (_directory.Keys.TryGetValue(newAddress, out var others) && others.Any(o => keys.All(k => k.Fingerprint != o.Fingerprint))) return false;
        var (old, record) = (contact.Record, RecordOf(newAddress));
        record.IsPrivate |= old.IsPrivate;
        record.Accepted.UnionWith(old.Accepted);
        record.LatestKey = old.LatestKey;
        record.HighestVersion = Math.Max(record.HighestVersion, old.HighestVersion);
        _open.Remove(old.Address);
        _open.Add(newAddress, contact);
        contact.Record = record;
        if (_directory.Pending.Remove(old.Address, out var pending))
            _directory.Pending[newAddress] = _directory.Pending.GetValueOrDefault(newAddress) + pending;
        if (keys.Count > 0) _directory.Keys[newAddress] = [.. keys];
        _directory.SaveContacts();
        _directory.SaveKeys();
        _directory.SavePending();
        return true;
    }

    /// <summary>Keeps what a step changed about a contact's keys.</summary>
    /// <exception cref="IOException">The disk does not have it.</exception>
    public void Save(PrivateContact contact)
    {
        var peer = contact.Conversation.Peer;
        var keys = contact.Conversation.KnownKeys;
        if (!_directory.Keys.TryGetValue(contact.Address, out var stored) || !stored.SequenceEqual(keys))
        {
            if (keys.Count > 0 || stored is not null)
            {
                _directory.Keys[contact.Address] = [.. keys];
                _directory.SaveKeys();
            }
        }
        var latest = peer.Latest?.ToHex() ?? "";
        if (contact.Record.LatestKey == latest && contact.Record.HighestVersion == peer.HighestVersion) return;
        contact.Record.LatestKey = latest;
        contact.Record.HighestVersion = peer.HighestVersion;
        _directory.SaveContacts();
    }

    /// <summary>Text may go to this key from now on.</summary>
    /// <exception cref="IOException">The disk does not have it.</exception>
    public void Accept(PrivateContact contact, Fingerprint key)
    {
        if (contact.Record.Accepted.Add(key.ToHex())) _directory.SaveContacts();
    }

    /// <exception cref="IOException">The disk does not have it.</exception>
    public void SaveRecords() => _directory.SaveContacts();

    /// <summary>Counts a private text that was accepted and is not written yet.</summary>
    /// <exception cref="IOException">The disk does not have it.</exception>
    public void AddPending(string address, int texts)
    {
        int count = _directory.Pending.GetValueOrDefault(address) + texts;
        if (count > 0) _directory.Pending[address] = count;
        else _directory.Pending.Remove(address);
        _directory.SavePending();
    }

    /// <summary>What the last run had accepted and not written. It is told once.</summary>
    public IReadOnlyDictionary<string, int> TakeUnsent()
    {
        var unsent = new Dictionary<string, int>(_directory.Pending);
        if (unsent.Count == 0) return unsent;
        _directory.Pending.Clear();
        _directory.SavePending();
        return unsent;
    }

    public void Dispose()
    {
        foreach (var contact in _open.Values) contact.Dispose();
        _directory.Dispose();
    }

    private ContactRecord RecordOf(string address)
    {
        if (_directory.Contacts.TryGetValue(address, out var record)) return record;
        record = new ContactRecord { Address = address };
        // Keys that were imported count as accepted, as they did where they come from.
        foreach (var key in _directory.Keys.GetValueOrDefault(address) ?? []) record.Accepted.Add(key.Fingerprint.ToHex());
        return _directory.Contacts[address] = record;
    }

    private PeerKeys PeerKeys(ContactRecord record)
    {
        IReadOnlyList<KnownKey> known = [.. (_directory.Keys.GetValueOrDefault(record.Address) ?? []).TakeLast(OtrLimits.MaxKnownFingerprints)];
        Fingerprint? latest = Fingerprint.TryParse(record.LatestKey, out var key) ? key : known.Count > 0 ? known[^1].Fingerprint : null;
        return new PeerKeys(known, latest, record.HighestVersion);
    }

    private OtrSettings Settings(string address) => new()
    {
        // The engine is given a text only in a private session; that it may not send one in the clear either is the second lock.
        Policy = OtrPolicy.Manual | OtrPolicy.RequireEncryption | OtrPolicy.ErrorStartAke,
        MaxWireBytes = _options.MaxWireBytes,
        SingleLine = _options.SingleLine,
        OwnAddress = _options.Account,
        PeerAddress = address,
    };
}
