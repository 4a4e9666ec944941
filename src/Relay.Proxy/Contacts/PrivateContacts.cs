using System.Security.Cryptography;
using System.Text;
using Otr.Core;
using Relay.Actors.Conversations;

namespace Relay.Proxy.Contacts;

/// <summary>What became of a text that arrived.</summary>
internal enum Received
{
    /// <summary>It is ordinary text of a contact without private state: the client gets it as it came.</summary>
    PassOn,
    /// <summary>It was OTR's, or was shown with a mark: the client does not get it as it came.</summary>
    Taken,
}

/// <summary>
/// The private conversations of one account, for all connections of its clients. Fails closed: text to a private contact leaves encrypted
/// in a session with a key that the person accepted, or not at all. One caller at a time: all members are called under <see cref="Gate"/>.
/// </summary>
internal sealed partial class PrivateContacts : IDisposable
{
    private readonly ProxyAccountOptions _options;
    private readonly ContactBook _book;
    private readonly Marks _marks;
    private readonly List<IChatView> _views = [];
    private readonly Queue<(IChatView View, byte[] Hash)> _recent = new();

    public PrivateContacts(ProxyAccountOptions options, ContactBook book)
    {
        (_options, _book) = (options, book);
        _marks = new Marks(options.AsciiMarks);
    }

    /// <summary>Held while anything of the account is looked at or changed.</summary>
    public Lock Gate { get; } = new();

    public ContactBook Book => _book;

    public bool PassesChatStates => _options.PassesChatStates;

    /// <summary>The contact that the person spoke to last; null at the start.</summary>
    public string? Current { get; set; }

    public bool HasOtherClients => _views.Count > 1;

    /// <summary>A client has logged in: it is told the state before the first text of a private contact.</summary>
    public void Attach(IChatView view)
    {
        _views.Add(view);
        var lines = new List<string> { "OTR proxy: connected. 'help' lists the commands." };
        foreach (var address in _book.PrivateAddresses) lines.Add(Describe(address));
        try
        {
            foreach (var (address, count) in _book.TakeUnsent())
            {
                lines.Add($"{count} private text{(count == 1 ? "" : "s")} to {address} may not have been sent: the proxy was stopped meanwhile. Ask the "
                    + "contact, and write again.");
            }
        }
        catch (IOException)
        {
            lines.Add(DiskFailed);
        }
        view.Notice(string.Join('\n', lines));
    }

    public void Detach(IChatView view)
    {
        _views.Remove(view);
        foreach (var contact in _book.Open)
        {
            // Nobody is left who could be told of them.
            foreach (var held in contact.Held.Where(h => h.View == view).ToList()) Forget(contact, held);
        }
    }

    /// <summary>Takes a text of the person to a private contact.</summary>
    public void Send(IChatView view, string address, string text, string id)
    {
        Current = address;
        if (_book.Get(address) is not { } contact)
        {
            view.Refuse(address, id, "there are too many private contacts");
            return;
        }
        var bytes = Encoding.UTF8.GetBytes(text.Replace("\0", "\ufffd", StringComparison.Ordinal));
        if (bytes.Length > OtrLimits.MaxPlaintextBytes) Refuse(view, contact, id, "it is too long for one message");
        else if (contact.Conversation.State == MessageState.Finished)
            Refuse(view, contact, id, $"{address} has ended the private conversation. 'start {address}' begins another one");
        else if (contact.IsEncrypted && !contact.IsDeviceGone && !contact.MayRead)
            Refuse(view, contact, id, $"the key of {address} has changed. Compare fingerprints, then 'trust {address}' or 'accept {address}'");
        else Guard(view, () =>
        {
            _book.AddPending(address, 1);
            if (contact.IsEncrypted && !contact.IsDeviceGone) Encrypt(view, contact, bytes, id);
            else Hold(view, contact, bytes, id);
        }, () => Refuse(view, contact, id, "the disk failed"));
    }

    /// <summary>Takes a text that arrived from a contact.</summary>
    /// <param name="origin">Given back with what is delivered.</param>
    /// <param name="isDelayed">The network had stored it: nothing is answered.</param>
    public Received Receive(IChatView view, string address, string text, object? origin, bool isDelayed = false)
    {
        var otr = OtrText.Read(text);
        if (!otr.IsOtr && _book.Find(address) is null && !_book.IsPrivate(address)) return Received.PassOn;
        if (otr.IsOtr && IsCopy(view, address, text)) return Received.Taken;
        if (isDelayed && otr.Kind is OtrTextKind.Query or OtrTextKind.Commit or OtrTextKind.Error) return Received.Taken;
        if (otr.IsOtr && !_book.IsKnown(address))
        {
            if (otr.Kind is OtrTextKind.Query)
                Tell($"{address}, who is not among your contacts, offers a private conversation. 'start {address}' takes it up.");
            return Received.Taken;
        }
        if (_book.Get(address) is not { } contact)
        {
            if (otr.IsOtr) Tell($"{address} offers a private conversation, but there are too many private contacts.");
            return otr.IsOtr ? Received.Taken : Received.PassOn;
        }
        if (!otr.IsOtr && !contact.Record.IsPrivate) return Received.PassOn;
        Step(contact, new OtrInput.WireReceived(Encoding.UTF8.GetBytes(text)), new StepTarget(view, origin, IsQuiet: isDelayed));
        return Received.Taken;
    }

    /// <summary>The device that the session is with has gone: what follows waits for another exchange.</summary>
    public void DeviceGone(string address)
    {
        if (_book.Find(address) is not { IsEncrypted: true } contact) return;
        contact.IsDeviceGone = true;
        // The offer that began the session is answered: the next text may ask for another one at once.
        contact.LastOffer = null;
    }

    /// <summary>
    /// The contact has another name (IRC): its conversation goes on under that, and the new name is as private as the old one. Whoever has the
    /// old name from now on has no session.
    /// </summary>
    public void Renamed(string address, string newAddress)
    {
        if (address == newAddress) return;
        if (_book.IsKnown(address)) _book.MarkKnown(newAddress);
        bool isPrivate = _book.IsPrivate(address);
        if (_book.Find(address) is { } contact)
        {
            bool hasMoved = true;
            Guard(null, () => hasMoved = _book.Move(contact, newAddress), () => { });
            if (hasMoved)
            {
                if (Current == address) Current = newAddress;
                if (isPrivate) Tell($"{address} is called {newAddress} now: the private conversation goes on with {newAddress}.");
                return;
            }
            DeviceGone(address);
            DeviceGone(newAddress);
        }
        if (!isPrivate) return;
        if (!_book.IsPrivate(newAddress)) Guard(null, () => _book.MakePrivate(newAddress), () => { });
        Tell($"{address} is called {newAddress} now, a name that has its own private state: the next text there asks for another conversation.");
    }

    /// <summary>Runs what becomes due, until it is stopped.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(ProxyLimits.Tick, _options.Time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            lock (Gate) Tick();
        }
    }

    /// <summary>Runs what is due; under <see cref="Gate"/>.</summary>
    public void Tick()
    {
        long now = Now;
        foreach (var contact in _book.Open.ToList())
        {
            foreach (var held in contact.Held.Where(h => now - h.Since >= ProxyLimits.HeldFor.TotalMilliseconds).ToList())
            {
                Forget(contact, held);
                Refuse(held.View, contact, held.Id, "no private conversation was begun in time. It will not be sent later");
            }
            if (contact.Conversation.NextDeadline is { } due && due <= now) Step(contact, new OtrInput.TimePassed(), default);
        }
    }

    public void Dispose() => _book.Dispose();

    private long Now => _options.Time.GetUtcNow().ToUnixTimeMilliseconds();

    private const string DiskFailed = "The disk failed: private contacts are not written to until it works. See the proxy's log.";

    /// <summary>Does something that the disk has to confirm.</summary>
    private void Guard(IChatView? view, Action action, Action onFailure)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            onFailure();
            if (view is null) Tell(DiskFailed);
            else view.Notice(DiskFailed);
        }
    }

    private void Encrypt(IChatView view, PrivateContact contact, byte[] text, string id)
    {
        Step(contact, new OtrInput.SendRequested(text), new StepTarget(view, TextId: id));
        CryptographicOperations.ZeroMemory(text);
        if (contact.HasToldPrivacy || !contact.IsEncrypted) return;
        contact.HasToldPrivacy = true;
        Tell($"Your texts to {contact.Address} are encrypted. {(contact.IsVerified ? "The key is verified." : Unverified(contact))}");
    }

    private void Hold(IChatView view, PrivateContact contact, byte[] text, string id)
    {
        if (contact.Held.Count >= ProxyLimits.HeldTexts)
        {
            _book.AddPending(contact.Address, -1);
            Refuse(view, contact, id, $"{ProxyLimits.HeldTexts} texts wait for a private conversation already");
            return;
        }
        contact.Held.Add(new HeldText(text, id, view, Now));
        if (contact.Held.Count == 1)
            view.Notice($"Your text to {contact.Address} waits for a private conversation, which is being asked for. It is not sent in the clear.");
        Offer(contact, view, isAsked: false);
    }

    private void Offer(PrivateContact contact, IChatView? view, bool isAsked)
    {
        if (!isAsked && contact.LastOffer is { } last && Now - last < ProxyLimits.OfferInterval.TotalMilliseconds) return;
        contact.LastOffer = Now;
        Step(contact, new OtrInput.StartRequested(), new StepTarget(view));
    }

    /// <summary>Sends what was held, in order, if the session's key may read it.</summary>
    private void SendHeld(PrivateContact contact)
    {
        if (!contact.MayRead || contact.IsDeviceGone || contact.Held.Count == 0) return;
        var held = contact.Held.ToList();
        contact.Held.Clear();
        foreach (var one in held) Encrypt(one.View, contact, one.Text, one.Id);
    }

    /// <summary>Drops a held text; the caller tells the person.</summary>
    private void Forget(PrivateContact contact, HeldText held)
    {
        contact.Held.Remove(held);
        held.Wipe();
        Guard(null, () => _book.AddPending(contact.Address, -1), () => { });
    }

    private void DropHeld(PrivateContact contact, string reason)
    {
        foreach (var held in contact.Held.ToList())
        {
            Forget(contact, held);
            Refuse(held.View, contact, held.Id, reason);
        }
    }

    private void Refuse(IChatView view, PrivateContact contact, string id, string reason)
    {
        view.Refuse(contact.Address, id, reason);
        view.Notice($"Your text to {contact.Address} was NOT sent: {reason}.");
    }

    private void Tell(string text)
    {
        foreach (var view in _views.ToList()) view.Notice(text);
    }

    /// <summary>Another connection of the same person gets the same wire text: it is read once.</summary>
    private bool IsCopy(IChatView view, string address, string text)
    {
        if (_views.Count < 2) return false;
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{address}\0{text}"));
        if (_recent.Any(r => r.View != view && r.Hash.AsSpan().SequenceEqual(hash))) return true;
        _recent.Enqueue((view, hash));
        if (_recent.Count > ProxyLimits.RecentWires) _recent.Dequeue();
        return false;
    }
}
