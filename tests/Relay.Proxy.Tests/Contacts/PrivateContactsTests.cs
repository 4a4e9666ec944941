using Otr.Core;
using Relay.Proxy.Contacts;
using Relay.Proxy.Storage;

namespace Relay.Proxy.Tests.Contacts;

/// <summary>Text to a private contact leaves encrypted, with a key that the person accepted, or not at all.</summary>
public sealed class PrivateContactsTests
{
    private const string Bob = ContactStage.Bob;

    [Fact]
    public void A_session_makes_the_contact_private_for_good()
    {
        using var stage = new ContactStage();
        Assert.False(stage.Contacts.Book.IsPrivate(Bob));
        // Bob begins: a session that was established is enough.
        stage.Step(new OtrInput.StartRequested());
        Assert.True(stage.Contacts.Book.IsPrivate(Bob));
        stage.Step(new OtrInput.EndRequested());
        stage.Say("after the end");
        Assert.Empty(stage.View.Wires);
        Assert.Equal(["1"], stage.View.Refused);
        stage.Contacts.Dispose();
        using var again = new ContactStage(stage.Directory);
        Assert.True(again.Contacts.Book.IsPrivate(Bob));
        again.View.IsTold($"{Bob}: private");
    }

    [Fact]
    public void A_contact_that_was_private_by_configuration_stays_so_without_it()
    {
        using var first = new ContactStage(null, Bob);
        first.Contacts.Dispose();
        using var again = new ContactStage(first.Directory);
        Assert.True(again.Contacts.Book.IsPrivate(Bob));
    }

    [Fact]
    public void Texts_wait_for_the_session_and_leave_in_order()
    {
        using var stage = new ContactStage(null, Bob);
        for (int i = 1; i <= 3; i++) stage.Say($"text {i}", $"{i}");
        // One offer, and not a word of the texts.
        Assert.StartsWith("?OTR", Assert.Single(stage.View.Wires).Text, StringComparison.Ordinal);
        stage.Exchange();
        Assert.Equal(["E text 1", "E text 2", "E text 3"], stage.Read);
        Assert.Empty(stage.View.Refused);
    }

    [Fact]
    public void A_text_that_waited_too_long_is_refused_and_never_sent()
    {
        using var stage = new ContactStage(null, Bob);
        stage.Say("too late");
        stage.View.Wires.Clear();
        stage.Clock.Advance(TimeSpan.FromMinutes(2));
        stage.Contacts.Tick();
        Assert.Equal(["1"], stage.View.Refused);
        stage.Start();
        Assert.Empty(stage.Read);
    }

    [Fact]
    public void Twenty_texts_wait_and_no_more()
    {
        using var stage = new ContactStage(null, Bob);
        for (int i = 1; i <= 21; i++) stage.Say($"text {i}", $"{i}");
        Assert.Equal(["21"], stage.View.Refused);
        stage.Exchange();
        Assert.Equal(20, stage.Read.Count());
    }

    [Fact]
    public void Nothing_goes_to_a_changed_key_until_the_person_takes_it()
    {
        using var stage = new ContactStage();
        stage.Start();
        stage.Say("to the first key");
        stage.Exchange();
        // Somebody else with bob's address.
        stage.Peer = ContactStage.NewPeer(DsaPrivateKey.Generate(SystemRandom.Instance));
        stage.Step(new OtrInput.StartRequested());
        stage.View.IsTold("WARNING: the key of bob@example.org has changed");
        stage.Say("to the second key", "2");
        stage.Exchange();
        Assert.Equal(["2"], stage.View.Refused);
        Assert.Equal(["E to the first key"], stage.Read);
        stage.Command("accept " + Bob);
        stage.Say("now", "3");
        stage.Exchange();
        Assert.Equal(["E to the first key", "E now"], stage.Read);
    }

    [Fact]
    public void Back_to_the_clear_goes_by_a_confirmed_command_only()
    {
        using var stage = new ContactStage();
        stage.Start();
        stage.Command("plain " + Bob);
        Assert.True(stage.Contacts.Book.IsPrivate(Bob));
        stage.Command($"plain {Bob} no");
        Assert.True(stage.Contacts.Book.IsPrivate(Bob));
        stage.Command("end " + Bob);
        Assert.True(stage.Contacts.Book.IsPrivate(Bob));
        stage.Command($"plain {Bob} yes");
        Assert.False(stage.Contacts.Book.IsPrivate(Bob));
        // What arrives in the clear is bob's ordinary text again.
        Assert.Equal(Received.PassOn, stage.Contacts.Receive(stage.View, Bob, "hello", null));
    }

    [Fact]
    public void Clear_text_of_a_private_contact_is_marked_and_told_of()
    {
        using var stage = new ContactStage(null, Bob);
        Assert.Equal(Received.Taken, stage.Contacts.Receive(stage.View, Bob, "🔒 trust me", null));
        Assert.Equal(["[not encrypted] \\🔒 trust me"], stage.View.Delivered);
        stage.View.IsTold("writes to you in the clear");
    }

    [Fact]
    public void A_stranger_is_not_answered()
    {
        using var stage = new ContactStage();
        Assert.Equal(Received.Taken, stage.Contacts.Receive(stage.View, "mallory@example.org", "?OTRv3?", null));
        Assert.Empty(stage.View.Wires);
        stage.View.IsTold("who is not among your contacts, offers a private conversation");
    }

    [Fact]
    public void A_stored_offer_is_not_answered()
    {
        using var stage = new ContactStage(null, Bob);
        Assert.Equal(Received.Taken, stage.Contacts.Receive(stage.View, Bob, "?OTRv3?", null, isDelayed: true));
        Assert.Empty(stage.View.Wires);
        // It has not even reached the engine, whose state it would change.
        Assert.Null(stage.Contacts.Book.Find(Bob));
    }

    [Fact]
    public void A_secret_is_not_repeated()
    {
        using var stage = new ContactStage();
        stage.Start();
        stage.Command($"smp {Bob} swordfish");
        stage.Exchange();
        stage.Command("status");
        stage.View.IsTold("Delete the line with the secret");
        Assert.DoesNotContain(stage.View.Notices, n => n.Contains("swordfish", StringComparison.Ordinal));
    }

    [Fact]
    public void A_failing_disk_refuses_private_texts()
    {
        using var stage = new ContactStage();
        stage.Start();
        // A folder in the way of the file that is written before a text leaves.
        Directory.CreateDirectory(Path.Combine(stage.Directory, "pending.json.new"));
        stage.Say("unsafe");
        Assert.Empty(stage.View.Wires);
        Assert.Equal(["1"], stage.View.Refused);
        stage.View.IsTold("The disk failed");
        Directory.Delete(Path.Combine(stage.Directory, "pending.json.new"));
        stage.Say("safe", "2");
        stage.Exchange();
        Assert.Equal(["E safe"], stage.Read);
    }

    [Fact]
    public void A_text_that_a_crash_left_under_way_is_told_of_once()
    {
        using var stage = new ContactStage(null, Bob);
        stage.Say("lost with the process");
        // Killed: nothing is written any more, and the lock is gone.
        stage.Contacts.Dispose();
        using (var again = new ContactStage(stage.Directory)) again.View.IsTold("1 private text to bob@example.org may not have been sent");
        using var third = new ContactStage(stage.Directory);
        Assert.DoesNotContain(third.View.Notices, n => n.Contains("may not have been sent", StringComparison.Ordinal));
    }

    [Fact]
    public void Logging_off_ends_the_sessions()
    {
        using var stage = new ContactStage();
        stage.Start();
        stage.Command("log off");
        stage.Exchange();
        Assert.True(stage.View.IsClosed);
        Assert.Equal(MessageState.Finished, stage.Peer.State);
    }

    [Fact]
    public void Trust_is_kept_in_libotrs_file()
    {
        using var stage = new ContactStage();
        stage.Start();
        stage.Command("trust " + Bob);
        stage.PeerSays("hello");
        Assert.Equal("🔒 hello", stage.View.Delivered[^1]);
        stage.Contacts.Dispose();
        var file = File.ReadAllBytes(Path.Combine(stage.Directory, AccountDirectory.FingerprintFile));
        Assert.True(LibotrFingerprintFile.TryParse(file, out var all, out _));
        var one = Assert.Single(all);
        Assert.Equal((Bob, "alice@example.org", "prpl-jabber", true), (one.Username, one.AccountName, one.Protocol, one.Trust.IsTrusted));
    }
}
