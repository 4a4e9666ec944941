using System.Numerics;
using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Conversations;

/// <summary>
/// Which session makes room for which (docs/room-for-sessions.md), each time with a restart from the snapshot in between.
/// </summary>
public sealed class RoomForSessionsTests
{
    private const int Restarts = 16, ThrowAwayKeys = 100;

    private readonly Party _us = new(1);
    private int _tags;

    /// <summary>A client of the peer that has just started: a new tag, the key of its profile.</summary>
    private Party Client(DsaPrivateKey key) => new(2, account: new OtrAccount(key, 0x7000u + (uint)_tags++)) { Now = _us.Now };

    private static DsaPrivateKey Key(int n)
    {
        var domain = TestKeys.Of(2).PublicKey;
        var x = new BigInteger(1_000_003) * (n + 1);
        var y = BigInteger.ModPow(Big.Number(domain.G), x, Big.Number(domain.P));
        Assert.True(DsaPrivateKey.TryImport(domain.P, domain.Q, domain.G, Big.Bytes(y), Big.Bytes(x), out var key));
        return key;
    }

    private void Pass(long milliseconds, params Party[] others)
    {
        foreach (var party in (Party[])[_us, .. others]) party.Now += milliseconds;
        _us.Restore(_us.Snapshot());
    }

    private void Connect(Party client) => Network.Run(client, _us, client.Start());

    private bool Hears(Party client, string text)
    {
        Network.Run(client, _us, client.Send(text));
        return _us.PrivateTexts.LastOrDefault() == text;
    }

    private bool Reaches(Party client, string text)
    {
        Network.Run(_us, client, _us.Send(text));
        return client.PrivateTexts.LastOrDefault() == text;
    }

    private void Trusts(Party client) =>
        _us.Step(new OtrInput.TrustRequested(client.Account.Key.PublicKey.Fingerprint, TrustLevel.Verified));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_client_that_restarts_without_goodbye_gets_a_session_every_time(bool isTrusted)
    {
        for (var i = 0; i < Restarts; i++)
        {
            Pass(30_000);
            var client = Client(TestKeys.Of(2));
            if (isTrusted) Trusts(client);
            Connect(client);
            Assert.True(Hears(client, $"hello {i}"));
            Assert.True(Reaches(client, $"welcome {i}"));
            Assert.Equal(Math.Min(i + 1, OtrLimits.MaxInstances), _us.Conversation.Sessions.Count);
        }
        Assert.DoesNotContain(RejectReason.NoRoom, _us.Rejects);
        var madeRoom = _us.All.OfType<OtrEffect.SessionChanged>().Count(s => s.Cause == SessionCause.MadeRoom);
        Assert.Equal(Restarts - OtrLimits.MaxInstances, madeRoom);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Two_living_clients_outlast_a_third_that_restarts(bool haveOwnKeys, bool thirdTalks)
    {
        Party one = Client(TestKeys.Of(2)), two = Client(TestKeys.Of(haveOwnKeys ? 3 : 2));
        Connect(one);
        Connect(two);
        for (var i = 0; i < Restarts; i++)
        {
            Pass(30_000, one, two);
            Assert.True(Hears(one, $"one {i}"));
            Assert.True(Hears(two, $"two {i}"));
            Pass(30_000, one, two);
            var third = Client(TestKeys.Of(haveOwnKeys ? 4 : 2));
            Connect(third);
            Assert.Equal(MessageState.Encrypted, third.Conversation.State);
            if (thirdTalks) Assert.True(Hears(third, $"third {i}"));
        }
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public void A_living_client_need_not_speak_in_every_turn(bool hasOwnKey, bool otherTalks)
    {
        Party one = Client(TestKeys.Of(2)), third;
        Connect(one);
        Assert.True(Hears(one, "once"));
        for (var i = 0; i < Restarts; i++)
        {
            Pass(30_000, one);
            Connect(third = Client(TestKeys.Of(hasOwnKey ? 3 : 2)));
            if (otherTalks) Assert.True(Hears(third, $"third {i}"));
        }
        Assert.True(Hears(one, "again"));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void An_impostor_with_a_hundred_keys_puts_out_neither_a_trusted_nor_a_living_session(bool isTrusted, bool isLiving)
    {
        var contact = Client(TestKeys.Of(2));
        Connect(contact);
        if (isTrusted) Trusts(contact);
        for (var i = 0; i < ThrowAwayKeys; i++)
        {
            if (isLiving && i % 20 == 0) Assert.True(Hears(contact, $"here {i}"));
            Pass(30_000, contact);
            Connect(Client(Key(i)));
        }
        Assert.True(Hears(contact, "still here"));
        Assert.Equal(OtrLimits.MaxInstances, _us.Conversation.Sessions.Count);
        if (isTrusted) Assert.True(Reaches(contact, "for you alone"));
    }

    [Fact]
    public void An_impostor_whose_hundred_keys_all_speak_does_not_lock_out_a_contact_who_comes_back()
    {
        var key = TestKeys.Of(2);
        var contact = Client(key);
        Connect(contact);
        Pass(OtrLimits.LivingInterval);
        for (var i = 0; i < ThrowAwayKeys; i++)
        {
            Pass(60_000);
            var impostor = Client(Key(i));
            Connect(impostor);
            if (impostor.Conversation.State == MessageState.Encrypted) Hears(impostor, "I am the contact");
        }
        Assert.Equal(OtrLimits.MaxKnownFingerprints, _us.Conversation.KnownKeys.Count);
        Assert.Contains(_us.Conversation.KnownKeys, k => k.Fingerprint == key.PublicKey.Fingerprint);
        Assert.Contains(RejectReason.NoRoom, _us.Rejects);
        for (var i = 0; i < Restarts; i++)
        {
            Pass(30_000);
            contact = Client(key);
            Connect(contact);
            Assert.True(Hears(contact, $"back {i}"));
        }
    }

    [Fact]
    public void An_untrusted_key_puts_out_no_trusted_session_and_is_told_why()
    {
        for (var i = 0; i < OtrLimits.MaxInstances; i++)
        {
            var client = Client(Key(i));
            Connect(client);
            Trusts(client);
        }
        Pass(10 * OtrLimits.LivingInterval);
        var stranger = Client(TestKeys.Of(3));
        Connect(stranger);
        Assert.Equal(RejectReason.NoRoom, _us.Rejects.Last());
        Assert.DoesNotContain(_us.Conversation.Sessions, s => s.PeerInstanceTag == stranger.Account.InstanceTag);
        Assert.DoesNotContain(_us.All, e => e is OtrEffect.SessionChanged { Cause: SessionCause.MadeRoom });
        Trusts(stranger);
        Pass(60_000, stranger);
        Connect(stranger);
        Assert.True(Hears(stranger, "no stranger"));
    }

    [Fact]
    public void Both_sides_are_told_which_session_made_room()
    {
        var clients = new List<Party>();
        for (var i = 0; i < OtrLimits.MaxInstances; i++)
        {
            Pass(1000, [.. clients]);
            clients.Add(Client(TestKeys.Of(2)));
            Connect(clients[^1]);
        }
        var newest = Client(TestKeys.Of(2));
        Pass(1000, newest);
        var before = _us.All.Count;
        Connect(newest);
        var told = _us.All.Skip(before).OfType<OtrEffect.SessionChanged>().ToArray();
        Assert.Equal([SessionCause.MadeRoom, SessionCause.KeyExchange], told.Select(t => t.Cause));
        Assert.Equal((MessageState.Finished, clients[0].Account.InstanceTag), (told[0].Session.State, told[0].Session.PeerInstanceTag));
        foreach (var wire in _us.All.Skip(before).ToArray().Wire()) clients[0].Receive(wire);
        Assert.Equal(MessageState.Finished, clients[0].Conversation.State);
        Assert.DoesNotContain(_us.Conversation.Sessions, s => s.PeerInstanceTag == clients[0].Account.InstanceTag);
    }

    [Fact]
    public void Forged_answers_do_not_use_up_a_commit()
    {
        var commit = _us.Receive("?OTRv3?").Wire().Single();
        for (var i = 0; i < 3 * OtrLimits.MaxInstances; i++)
        {
            // Only while there is room for exchanges that move; it comes back.
            if (i % OtrLimits.MaxPendingExchanges == 0) Pass(OtrLimits.ExchangeGrace);
            Assert.Single(_us.Receive(new HandMadeAke(TestKeys.Of(3), 0x9000u + (uint)i, seed: i + 1).Key(_us.Account.InstanceTag)).Wire());
        }
        Pass(OtrLimits.ExchangeGrace);
        var contact = Client(TestKeys.Of(2));
        Network.Run(contact, _us, contact.Receive(commit));
        Assert.True(Hears(contact, "it was me"));
    }

    [Fact]
    public void Forged_commits_do_not_push_out_an_exchange_that_moves()
    {
        var contact = Client(TestKeys.Of(2));
        var commit = contact.Receive(_us.Start().Wire().Single()).Wire().Single();
        var key = _us.Receive(commit).Wire().Single();
        for (var i = 0; i < OtrLimits.AkeBurst; i++)
        {
            _us.Now += OtrLimits.ExchangeGrace / OtrLimits.AkeBurst;
            _us.Receive(new HandMadeAke(TestKeys.Of(3), 0x9000u + (uint)i, seed: i + 1).Commit(0));
        }
        Assert.Contains(RejectReason.NoRoom, _us.Rejects);
        Network.Run(contact, _us, contact.Receive(key));
        Assert.True(Hears(contact, "it was me"));
    }

    [Fact]
    public void Without_room_nothing_is_computed()
    {
        var budget = TestBudget.Full;
        _us.Budget = budget;
        for (var i = 0u; i < 2 * OtrLimits.MaxPendingExchanges; i++)
            _us.Receive(new HandMadeAke(TestKeys.Of(3), 0x9000u + i).Commit(0));
        Assert.Equal(OtrLimits.MaxPendingExchanges, budget.Asked.Count);
        Assert.Equal(OtrLimits.MaxPendingExchanges, _us.Rejects.Count(r => r == RejectReason.NoRoom));
    }
}
