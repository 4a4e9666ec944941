using System.Security.Cryptography;
using Otr.Core;
using Relay.Proxy.Storage;

namespace Relay.Proxy.Contacts;

/// <summary>A text that waits for a private session.</summary>
internal sealed record HeldText(byte[] Text, string Id, IChatView View, long Since)
{
    public void Wipe() => CryptographicOperations.ZeroMemory(Text);

    /// <summary>Prints the length only.</summary>
    public override string ToString() => $"HeldText {{ {Text.Length} bytes }}";
}

/// <summary>One contact of the account: its OTR conversation, and what waits for it.</summary>
internal sealed class PrivateContact(ContactRecord record, OtrConversation conversation) : IDisposable
{
    /// <summary>What is kept on disk; another one once the contact has another name.</summary>
    public ContactRecord Record { get; set; } = record;

    public string Address => Record.Address;

    public OtrConversation Conversation => conversation;

    public List<HeldText> Held { get; } = [];

    /// <summary>When a text last caused an offer of a session, by the account's clock; null: never.</summary>
    public long? LastOffer { get; set; }

    /// <summary>The session's device has gone: text waits for another exchange, for others could not read it.</summary>
    public bool IsDeviceGone { get; set; }

    /// <summary>The person was told that texts are encrypted in the present session.</summary>
    public bool HasToldPrivacy { get; set; }

    /// <summary>The person was told that the contact writes in the clear.</summary>
    public bool HasToldClear { get; set; }

    /// <summary>The contact's SMP request that waits for an answer.</summary>
    public ulong? SmpToken { get; set; }

    /// <summary>A question that the person wants to ask, whose secret is still to come.</summary>
    public string? OwnQuestion { get; set; }

    public long ComplaintsSince { get; set; }

    public int Complaints { get; set; }

    public bool IsEncrypted => conversation.State == MessageState.Encrypted;

    /// <summary>The key of the session that text would go to; null if there is none.</summary>
    public Fingerprint? SessionKey => IsEncrypted ? conversation.Sessions[0].PeerFingerprint : null;

    public TrustLevel TrustIn(Fingerprint key) => conversation.KnownKeys.FirstOrDefault(k => k.Fingerprint == key)?.Trust ?? TrustLevel.Untrusted;

    public bool IsVerified => SessionKey is { } key && TrustIn(key).IsTrusted;

    /// <summary>Text may go to the session's key: the person verified or accepted it, or it is the first one.</summary>
    public bool MayRead => SessionKey is { } key && (TrustIn(key).IsTrusted || Record.Accepted.Contains(key.ToHex()));

    public void Dispose()
    {
        foreach (var held in Held) held.Wipe();
        Held.Clear();
        conversation.Dispose();
    }
}
