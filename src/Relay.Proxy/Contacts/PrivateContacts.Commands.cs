using System.Security.Cryptography;
using System.Text;
using Otr.Core;

namespace Relay.Proxy.Contacts;

// The commands of the person. Secrets are never repeated.
internal sealed partial class PrivateContacts
{
    private const string DeleteSecret = "Delete the line with the secret from your program's log.";

    /// <summary>Turns what the person typed into a contact's normalised address; null if it is none.</summary>
    public required Func<string, string?> Address { get; init; }

    /// <summary>Runs a command.</summary>
    /// <param name="window">The contact in whose window it was typed; null: in the service contact's.</param>
    public void Command(IChatView view, string? window, string text)
    {
        if (window is not null) Current = window;
        var command = ServiceCommand.Read(text);
        switch (command.Name)
        {
            case null:
                view.Notice($"There is no such command; nothing was sent. Did you mean '{command.Nearest}'? 'help' lists all.");
                break;
            case "" or "help":
                view.Notice(ServiceCommand.Help + (Current is { } current ? $"\nThe contact that you spoke to last: {current}" : ""));
                break;
            case "keys":
                view.Notice($"Your key for {_options.Account}: {_book.Account.Key.PublicKey.Fingerprint.ToHuman()}");
                break;
            case "private":
                var all = _book.PrivateAddresses.ToList();
                view.Notice(all.Count == 0 ? "No contact is private." : "Private contacts:\n" + string.Join('\n', all.Select(Describe)));
                break;
            case "log":
                LogOff(view, command.Rest);
                break;
            case "answer":
                Answer(view, command.Rest);
                break;
            case "status" when command.Rest.Length == 0 && window is null && _book.PrivateAddresses.Any():
                view.Notice(string.Join('\n', _book.PrivateAddresses.Select(Describe)));
                break;
            default:
                WithContact(view, window, command);
                break;
        }
    }

    private void WithContact(IChatView view, string? window, ServiceCommand command)
    {
        var (word, rest) = ServiceCommand.Split(command.Rest);
        // In a contact's window a secret need not be preceded by the contact.
        var named = word.Length > 0 && !(command.Name == "smp" && window is not null && Address(word) != window) ? Address(word) : null;
        if (named is null && (command.Name == "smp" ? window : word.Length == 0 ? Current : null) is { } implied) (named, rest) = (implied, command.Rest);
        if (named is null)
        {
            view.Notice(word.Length == 0 || command.Name == "smp" ? $"Name a contact: '{command.Name} contact'." : "That is not the address of a contact.");
            return;
        }
        // On IRC nearly every word could be a contact, and this one may be a secret: it is not repeated, and not kept.
        if (command.Name == "smp" && _book.Find(named) is null)
        {
            view.Notice("There is no private conversation with that contact. Say 'start contact' first, then 'smp contact secret'.");
            return;
        }
        Current = named;
        if (_book.Get(named) is not { } contact)
        {
            view.Notice("There are too many private contacts.");
            return;
        }
        switch (command.Name)
        {
            case "status":
                view.Notice(Describe(named));
                break;
            case "start":
                Start(view, contact);
                break;
            case "end":
                Guard(view, () => _book.MakePrivate(named), () => { });
                DropHeld(contact, "you ended the private conversation");
                Step(contact, new OtrInput.EndRequested(), new StepTarget(view));
                view.Notice($"Ended. {named} stays private: nothing goes there in the clear until 'plain {named} yes'.");
                break;
            case "plain":
                Plain(view, contact, rest);
                break;
            case "fingerprints":
                view.Notice(Fingerprints(contact));
                break;
            case "trust" or "distrust" or "accept":
                Trust(view, contact, command.Name);
                break;
            case "abort":
                contact.OwnQuestion = null;
                Step(contact, new OtrInput.SmpAbortRequested(), new StepTarget(view));
                break;
            case "smp":
                Verify(view, contact, rest);
                break;
        }
    }

    private void Start(IChatView view, PrivateContact contact)
    {
        _book.MarkKnown(contact.Address);
        Guard(view, () =>
        {
            _book.MakePrivate(contact.Address);
            if (contact.Conversation.State == MessageState.Finished) Step(contact, new OtrInput.EndRequested(), new StepTarget(view));
            view.Notice($"{contact.Address} is private from now on. A private conversation is being asked for.");
            Offer(contact, view, isAsked: true);
        }, () => { });
    }

    private void Plain(IChatView view, PrivateContact contact, string confirmation)
    {
        if (confirmation != "yes")
        {
            view.Notice($"Your texts to {contact.Address} would go in the clear: everybody on the way could read them. If you want that, say "
                + $"'plain {contact.Address} yes'.");
            return;
        }
        DropHeld(contact, "the contact is not private any more. Write it again if it may go in the clear");
        Step(contact, new OtrInput.EndRequested(), new StepTarget(view));
        Guard(view, () =>
        {
            _book.MakePlain(contact.Address);
            view.Notice($"Your texts to {contact.Address} go in the clear from now on.");
        }, () => { });
    }

    private void Trust(IChatView view, PrivateContact contact, string command)
    {
        if ((contact.SessionKey ?? contact.Conversation.Peer.Latest) is not { } key)
        {
            view.Notice($"No key of {contact.Address} is known yet. 'start {contact.Address}' shows it.");
            return;
        }
        Guard(view, () =>
        {
            if (command == "distrust") contact.Record.Accepted.Remove(key.ToHex());
            if (command == "accept") _book.Accept(contact, key);
            else Step(contact, new OtrInput.TrustRequested(key, command == "trust" ? TrustLevel.Verified : TrustLevel.Untrusted), new StepTarget(view));
            if (command == "accept") SendHeld(contact);
            if (command == "distrust") _book.SaveRecords();
            view.Notice(command switch
            {
                "trust" => $"The key {key.ToHuman()} of {contact.Address} is trusted.",
                "accept" => $"The key {key.ToHuman()} of {contact.Address} is accepted without verification.",
                _ => $"Nothing is sent to the key {key.ToHuman()} of {contact.Address} until you trust or accept it.",
            });
        }, () => { });
    }

    private void Verify(IChatView view, PrivateContact contact, string rest)
    {
        if (rest.StartsWith('?'))
        {
            contact.OwnQuestion = rest[1..].Trim();
            view.Notice($"The question for {contact.Address} is noted. Now say 'answer SECRET' with the answer that you expect.");
            return;
        }
        if (rest.Length == 0)
        {
            view.Notice("Say 'smp contact secret', or 'smp contact ? question'.");
            return;
        }
        view.Notice(DeleteSecret);
        Verify(view, contact, rest, question: null);
    }

    private void Verify(IChatView view, PrivateContact contact, string secret, string? question)
    {
        var bytes = Encoding.UTF8.GetBytes(secret);
        Step(contact, new OtrInput.SmpStartRequested(bytes, question is null ? null : Encoding.UTF8.GetBytes(question)), new StepTarget(view));
        CryptographicOperations.ZeroMemory(bytes);
    }

    private void Answer(IChatView view, string secret)
    {
        var asked = _book.Open.Where(c => c.OwnQuestion is not null || c.SmpToken is not null).ToList();
        var contact = asked.FirstOrDefault(c => c.Address == Current) ?? (asked.Count == 1 ? asked[0] : null);
        if (contact is null || secret.Length == 0)
        {
            view.Notice(asked.Count == 0 ? "No question waits for an answer." : secret.Length == 0 ? "Say 'answer SECRET'."
                : $"Several contacts wait: {string.Join(", ", asked.Select(c => c.Address))}. Say 'status contact' first, to choose one.");
            return;
        }
        view.Notice(DeleteSecret);
        if (contact.OwnQuestion is { } question)
        {
            contact.OwnQuestion = null;
            Verify(view, contact, secret, question);
            return;
        }
        var bytes = Encoding.UTF8.GetBytes(secret);
        Step(contact, new OtrInput.SmpAnswerRequested(contact.SmpToken!.Value, bytes), new StepTarget(view));
        CryptographicOperations.ZeroMemory(bytes);
        contact.SmpToken = null;
    }

    private void LogOff(IChatView view, string rest)
    {
        if (rest != "off")
        {
            view.Notice("Did you mean 'log off'? It ends all private conversations and disconnects.");
            return;
        }
        foreach (var contact in _book.Open.ToList())
        {
            DropHeld(contact, "you logged off");
            if (contact.Conversation.State != MessageState.Plaintext) Step(contact, new OtrInput.EndRequested(), new StepTarget(view));
        }
        view.Notice("All private conversations are ended. Good bye.");
        foreach (var one in _views.ToList()) one.Close();
    }

    private string Describe(string address)
    {
        if (_book.Find(address) is not { } contact) return $"{address}: {(_book.IsPrivate(address) ? "private, no conversation yet" : "in the clear")}";
        var state = contact.Conversation.State switch
        {
            MessageState.Encrypted when contact.IsDeviceGone => "private, the device has gone: the next text asks for another conversation",
            MessageState.Encrypted when !contact.MayRead => "private, but the key has CHANGED: nothing is sent until 'trust' or 'accept'",
            MessageState.Encrypted => contact.IsVerified ? "private, verified" : "private, NOT verified",
            MessageState.Finished => "ended by the contact: nothing is sent",
            _ => contact.Record.IsPrivate ? "private, no conversation yet" : "in the clear",
        };
        var waits = contact.SmpToken is not null ? "; waits for your answer (verification)" : "";
        return $"{address}: {state}{(contact.Held.Count > 0 ? $"; {contact.Held.Count} of your texts wait" : "")}{waits}";
    }

    private string Fingerprints(PrivateContact contact)
    {
        var lines = new List<string> { $"Yours: {_book.Account.Key.PublicKey.Fingerprint.ToHuman()}" };
        foreach (var key in contact.Conversation.KnownKeys)
        {
            lines.Add($"{contact.Address}: {key.Fingerprint.ToHuman()} {(key.Trust.IsTrusted ? "verified" : "not verified")}"
                + (key.Fingerprint == contact.SessionKey ? ", used now" : ""));
        }
        if (lines.Count == 1) lines.Add($"No key of {contact.Address} is known yet.");
        return string.Join('\n', lines);
    }
}
