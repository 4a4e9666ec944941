using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;
using Otr.Core.Wire;
using static Otr.Core.Tests.Hostile.ParsingTests;

namespace Otr.Core.Tests.Hostile;

/// <summary>Hostile inputs B2: what leads to a key exchange, how often, and under which version.</summary>
public sealed class NegotiationTests
{
    private static readonly OtrSettings Both = new() { Policy = OtrPolicy.Opportunistic };

    [Theory, Trait("hostile", "K01")]
    [InlineData("?OTRv2?")]
    [InlineData("?OTR?")]
    [InlineData("?OTR?v2?")]
    public void K01_after_a_version_3_session_a_stripped_query_is_refused_even_after_a_restart(string query)
    {
        Party us = new(1, Both), peer = new(2, Both);
        Network.Establish(us, peer);
        AssertRefusedOnly(us, query.Utf8(), RejectReason.VersionNotAllowed);
        us.End();
        us.Restore(us.Snapshot());
        AssertRefusedOnly(us, query.Utf8(), RejectReason.VersionNotAllowed);
        AssertRefusedOnly(us, new HandMadeAke(TestKeys.Of(2), 0, version: 2).Commit(0), RejectReason.VersionNotAllowed);
        Assert.Empty(us.Receive(WhitespaceTag.Append("hi"u8, OtrVersions.V2)).Wire());
        Assert.StartsWith("?OTRv3?", us.Start().Wire().Single().ToText());
    }

    [Fact, Trait("hostile", "K01")]
    public void K01_by_default_version_2_is_not_spoken_at_all()
    {
        var us = new Party(1, new OtrSettings());
        AssertRefusedOnly(us, "?OTRv2?".Utf8(), RejectReason.VersionNotAllowed);
        Assert.StartsWith("?OTRv3?", us.Start().Wire().Single().ToText());
    }

    [Fact, Trait("hostile", "K01")]
    public void K01_version_2_is_spoken_with_a_peer_that_never_spoke_3()
    {
        Party us = new(1, Both), peer = new(2, new OtrSettings { Policy = OtrPolicy.AllowV2 });
        Network.Establish(us, peer);
        Assert.Equal(2, us.Conversation.Sessions[0].Version);
        Network.Run(us, peer, us.End());
        Network.Establish(us, peer);
    }

    [Theory, Trait("hostile", "K02")]
    [InlineData("query")]
    [InlineData("tag")]
    [InlineData("commit")]
    public void K02_a_stranger_gets_no_answer_where_the_account_wants_none(string approach)
    {
        var us = new Party(1, new OtrSettings { Policy = OtrPolicy.Opportunistic, AnswersStrangers = false });
        var stranger = new HandMadeAke(TestKeys.Of(2), 0x2222);
        var wire = approach switch { "query" => "?OTRv3?".Utf8(), "tag" => WhitespaceTag.Append("hi"u8, OtrVersions.V3), _ => stranger.Commit(0) };
        Assert.Empty(us.Receive(wire).Wire());
        Assert.Equal(approach == "tag" ? [] : [RejectReason.NotInvited], us.Rejects);
        Assert.Equal(approach == "tag" ? ["hi"] : [], us.Texts);
        // Once we have asked, the peer may answer in any way.
        us.Start();
        Assert.Single(us.Receive(wire).Wire());
    }

    [Fact, Trait("hostile", "K02")]
    public void K02_a_peer_with_whom_a_session_has_stood_is_no_stranger()
    {
        Party us = new(1, new OtrSettings { AnswersStrangers = false }), peer = new(2);
        Network.Establish(us, peer);
        us.End();
        us.Restore(us.Snapshot());
        Assert.Single(us.Receive("?OTRv3?").Wire());
    }

    [Theory, Trait("hostile", "K02")]
    [InlineData(OtrPolicy.Managed)]
    [InlineData(OtrPolicy.Manual)]
    public void K02_a_tag_draws_no_answer_unless_policy_wants_it(OtrPolicy policy)
    {
        var us = new Party(1, new OtrSettings { Policy = policy });
        Assert.Empty(us.Receive(WhitespaceTag.Append("hi"u8, OtrVersions.V2 | OtrVersions.V3)).Wire());
        Assert.Equal(["hi"], us.Texts);
    }

    [Theory, Trait("hostile", "K06")]
    [InlineData(3, 0)]
    [InlineData(3, 100)]
    [InlineData(2, 0)]
    [InlineData(2, 100)]
    public void K06_commits_that_cross_settle_in_every_order_of_delivery(int version, int limit)
    {
        var settings = new OtrSettings { Policy = version == 3 ? OtrPolicy.AllowV3 : OtrPolicy.AllowV2, MaxWireBytes = limit };
        for (var seed = 0; seed < 8; seed++)
        {
            Party a = new(4 * seed + 1, settings), b = new(4 * seed + 2, settings);
            var fromA = a.Receive($"?OTRv{version}?").Wire().ToArray();
            var fromB = b.Receive($"?OTRv{version}?").Wire().ToArray();
            // Either Commit may be the higher one, and either may arrive first.
            var toB = new Queue<ReadOnlyMemory<byte>>(fromA);
            var toA = new Queue<ReadOnlyMemory<byte>>(fromB);
            var messages = 0;
            for (var turn = seed; toA.Count + toB.Count > 0; turn++)
            {
                Assert.True(++messages < 400, "The two sides play ping-pong.");
                if (turn % 2 == 0 && toB.TryDequeue(out var m)) foreach (var w in b.Receive(m).Wire()) toA.Enqueue(w);
                if (turn % 2 == 1 && toA.TryDequeue(out m)) foreach (var w in a.Receive(m).Wire()) toB.Enqueue(w);
            }
            Assert.Equal((MessageState.Encrypted, MessageState.Encrypted), (a.Conversation.State, b.Conversation.State));
            Assert.Single(a.All.OfType<OtrEffect.SessionChanged>());
            Assert.Single(b.All.OfType<OtrEffect.SessionChanged>());
            Assert.Equal(a.Conversation.Sessions[0].Ssid, b.Conversation.Sessions[0].Ssid);
        }
    }

    [Theory, Trait("hostile", "K06")]
    [InlineData(0u)]
    [InlineData(0x1001u)]
    public void K06_an_equal_hash_is_our_own_commit(uint receiver)
    {
        var us = new Party(1);
        us.Receive("?OTRv3?");
        var hash = us.Look(s => s.Broadcast.HashedGx)!;
        AssertRefusedOnly(us, new HandMadeAke(TestKeys.Of(2), 0x2222).Commit(receiver, hash: hash), RejectReason.Reflected);
    }

    [Fact, Trait("hostile", "K06")]
    public void K06_a_commit_lost_to_one_instance_is_still_open_for_another()
    {
        var us = new Party(1);
        var commit = us.Receive("?OTRv3?").Wire().Single();
        var winner = new HandMadeAke(TestKeys.Of(2), 0x2222);
        Assert.Equal(0x0a, WireText.TypeOf(us.Receive(winner.Commit(0, hash: [.. Enumerable.Repeat((byte)0xff, 32)])).Wire().Single()));
        var other = new Party(3);
        Network.Run(other, us, other.Receive(commit));
        Assert.Equal(MessageState.Encrypted, us.Conversation.State);
    }

    [Fact, Trait("hostile", "K06")]
    public void K06_a_libotr_that_answers_our_losing_commit_is_freed_by_a_new_query()
    {
        // peers-observed, libotr 2: both sides asked, both answer with D-H Key, and both wait for a Reveal Signature.
        var us = new Party(1);
        us.Start();
        us.Receive("?OTRv3?");
        var libotr = new HandMadeAke(TestKeys.Of(2), 0x2222);
        us.Receive(libotr.Commit(0, hash: [.. Enumerable.Repeat((byte)0xff, 32)]));
        AssertRefusedOnly(us, libotr.Key(us.Account.InstanceTag), RejectReason.UnexpectedAkeMessage);
        us.Now = us.Conversation.NextDeadline!.Value;
        Assert.InRange(us.Now - 1_700_000_000_000, OtrLimits.QueryRetryDelay, 2 * OtrLimits.QueryRetryDelay);
        Assert.StartsWith("?OTRv3?", us.Step(new OtrInput.TimePassed()).Wire().Single().ToText());
        // Which libotr answers with a Commit; our Key is the same, and the exchange completes.
        libotr = new HandMadeAke(TestKeys.Of(2), 0x2222, seed: 3);
        var ours = libotr.ReadKey(us.Receive(libotr.Commit(0)).Wire().Single());
        us.Receive(libotr.Reveal(us.Account.InstanceTag, ours));
        Assert.Equal(MessageState.Encrypted, us.Conversation.State);
    }

    [Fact, Trait("hostile", "K06")]
    public void K06_an_exchange_that_moves_slowly_is_not_disturbed_by_a_new_query()
    {
        var us = new Party(1);
        us.Start();
        var peer = new HandMadeAke(TestKeys.Of(2), 0x2222);
        // The answer comes just before the query would be repeated, and the next message takes nearly as long again.
        us.Now = us.Conversation.NextDeadline!.Value - 1;
        var key = peer.ReadKey(us.Receive(peer.Commit(0)).Wire().Single());
        var came = us.Now;
        us.Now = came + OtrLimits.QueryRetryDelay - 1;
        Assert.Empty(us.Step(new OtrInput.TimePassed()).Wire());
        Assert.Equal(came + OtrLimits.QueryRetryDelay, us.Conversation.NextDeadline);
        us.Receive(peer.Reveal(us.Account.InstanceTag, key));
        Assert.Equal(MessageState.Encrypted, us.Conversation.State);
    }

    [Fact, Trait("hostile", "K06")]
    public void K06_the_query_of_an_exchange_that_hangs_is_repeated_a_bounded_number_of_times()
    {
        var us = new Party(1);
        us.Start();
        us.Receive(new HandMadeAke(TestKeys.Of(2), 0x2222).Commit(0));
        var queries = 0;
        for (var i = 0; i < 50 && us.Conversation.NextDeadline is { } next; i++)
        {
            us.Now = next;
            queries += us.Step(new OtrInput.TimePassed()).Wire().Count();
        }
        Assert.Equal(OtrLimits.MaxQueryRetries, queries);
        Assert.Null(us.Conversation.NextDeadline);
    }

    [Fact, Trait("hostile", "K12")]
    public void K12_commits_of_one_peer_are_answered_up_to_the_budget()
    {
        var us = new Party(1);
        var answered = 0;
        for (var i = 0; i < 3 * OtrLimits.AkeBurst; i++)
        {
            var exchange = new HandMadeAke(TestKeys.Of(2), 0x2222);
            answered += us.Receive(exchange.Commit(0)).Wire().Count();
            us.End();
        }
        Assert.Equal(OtrLimits.AkeBurst, answered);
        Assert.Equal(2 * OtrLimits.AkeBurst, us.Rejects.Count(r => r == RejectReason.RateLimited));
        us.Now += OtrLimits.AkeRefillInterval;
        Assert.Single(us.Receive(new HandMadeAke(TestKeys.Of(2), 0x2222).Commit(0)).Wire());
    }

    [Fact, Trait("hostile", "K12")]
    public void K12_a_hundred_thousand_instance_tags_cost_bounded_memory_and_no_session_that_stands()
    {
        Party us = new(1), peer = new(2);
        Network.Establish(us, peer);
        var commit = WireText.Decode(new HandMadeAke(TestKeys.Of(3), 0x2222).Commit(0));
        for (var tag = 0x10000u; tag < 0x10000 + 100_000; tag++)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(commit.AsSpan(3), tag);
            us.Receive(WireText.Encode(commit));
            us.All.Clear();
        }
        Assert.InRange(us.Snapshot().Length, 1, 10_000);
        Assert.Equal(1 + OtrLimits.MaxPendingExchanges, us.Look(s => s.Sessions.Count));
        Network.Run(us, peer, us.Send("still here"));
        Assert.Equal(["still here"], peer.PrivateTexts);
    }

    [Fact, Trait("hostile", "K12")]
    public void K12_instances_that_have_ended_make_room_for_new_ones()
    {
        var us = new Party(1);
        for (var i = 0; i < 2 * OtrLimits.MaxInstances; i++)
        {
            us.Now += 60_000;
            var instance = new Party(2, tag: 0x5000u + (uint)i);
            Network.Establish(us, instance);
            us.Receive(instance.End().Wire().Single());
            Assert.Equal(MessageState.Finished, us.Conversation.State);
        }
        Assert.Equal(OtrLimits.MaxInstances, us.Look(s => s.Sessions.Count));
    }

    [Fact, Trait("hostile", "K13")]
    public void K13_a_storm_of_queries_during_the_exchange_leads_to_one()
    {
        Party us = new(1), peer = new(2);
        var sent = new HashSet<string>();
        void Storm()
        {
            for (var i = 0; i < 100; i++)
                foreach (var wire in us.Receive("?OTRv3?").Wire()) sent.Add(wire.ToText());
        }
        Storm();
        var commit = Assert.Single(sent);
        var key = peer.Receive(commit.Utf8()).Wire().Single();
        var reveal = us.Receive(key).Wire().Single();
        Storm();
        us.Receive(peer.Receive(reveal).Wire().Single());
        Assert.Equal(MessageState.Encrypted, us.Conversation.State);
        // Repeated, byte by byte: nothing of a second exchange.
        Assert.Equal([commit, reveal.ToText()], sent);
    }

    [Fact, Trait("hostile", "K13")]
    public void K13_a_storm_of_queries_after_the_exchange_is_answered_up_to_the_budget()
    {
        Party us = new(1), peer = new(2);
        Network.Establish(us, peer);
        var answered = 0;
        for (var i = 0; i < 1000; i++, us.Now += 10) answered += us.Receive("?OTRv3?").Wire().Select(w => w.ToText()).Distinct().Count();
        Assert.InRange(us.All.OfType<OtrEffect.Noted>().Count(n => n.Kind == NoteKind.KeyExchangeStarted), 1, 6);
        Assert.InRange(answered, 1, 1000);
        Network.Run(us, peer, us.Send("still here"));
        Assert.Equal(["still here"], peer.PrivateTexts);
    }

    [Fact, Trait("hostile", "K13")]
    public void K13_a_storm_of_errors_draws_one_query_per_interval()
    {
        var us = new Party(1, new OtrSettings { Policy = OtrPolicy.Always });
        var queries = 0;
        for (var i = 0; i < 1000; i++, us.Now += 50) queries += us.Receive("?OTR Error: again").Wire().Count();
        Assert.Equal(50_000 / OtrLimits.QueryInterval, queries);
    }

    [Fact, Trait("hostile", "K13")]
    public void K13_held_messages_send_one_query_per_interval()
    {
        var us = new Party(1);
        var queries = Enumerable.Range(0, OtrLimits.MaxHeldMessages).Sum(i => us.Send($"{i}").Wire().Count());
        Assert.Equal(1, queries);
        Assert.Equal(new OtrEffect.Refused(RefusalReason.TooManyHeld, 9), Assert.Single(us.Send("one more", 9)));
    }

    [Fact, Trait("hostile", "K14")]
    public void K14_another_key_while_encrypted_is_told_and_gets_nothing_that_was_meant_for_the_first()
    {
        Party us = new(1), peer = new(2);
        Network.Establish(us, peer);
        var other = new Party(3, tag: peer.Account.InstanceTag);
        Network.Run(other, us, other.Start());
        Assert.Equal(MessageState.Encrypted, us.Conversation.State);
        var seen = us.All.OfType<OtrEffect.FingerprintSeen>().Last();
        Assert.Equal((true, true, other.Account.Key.PublicKey.Fingerprint), (seen.IsNew, seen.IsChanged, seen.Fingerprint));
        Assert.True(us.All.FindIndex(e => e == seen) < us.All.FindLastIndex(e => e is OtrEffect.SessionChanged));

        us.End();
        us.Send("for the key that we knew", 5);
        var third = new Party(4, tag: peer.Account.InstanceTag);
        Network.Run(third, us, third.Start());
        Assert.Equal(MessageState.Encrypted, us.Conversation.State);
        Assert.Empty(third.Texts);
        Assert.Equal(new OtrEffect.SendOutcome(5, SendDisposition.Dropped), us.All.OfType<OtrEffect.SendOutcome>().Last());
    }

    [Theory, Trait("hostile", "K14")]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void K14_another_key_is_refused_where_policy_says_so_and_in_place_of_a_trusted_one(bool refuses, bool trusted)
    {
        Party us = new(1, new OtrSettings { KeyChange = refuses ? KeyChangeAction.Refuse : KeyChangeAction.Report }), peer = new(2);
        Network.Establish(us, peer);
        if (trusted) us.Step(new OtrInput.TrustRequested(peer.Account.Key.PublicKey.Fingerprint, TrustLevel.Verified));
        var other = new Party(3, tag: peer.Account.InstanceTag);
        Network.Run(us, other, us.Start());
        Assert.Equal(RejectReason.KeyChanged, us.Rejects.Last());
        Assert.NotEqual(MessageState.Encrypted, other.Conversation.State);
        Assert.Empty(us.All.OfType<OtrEffect.FingerprintSeen>().Skip(1));
        Network.Run(us, peer, us.Send("still with the first"));
        Assert.Equal(["still with the first"], peer.PrivateTexts);
    }

    [Fact, Trait("hostile", "K15")]
    public void K15_forged_version_2_messages_leave_a_version_3_session_as_it_is()
    {
        Party us = new(1, Both), peer = new(2, Both);
        Network.Establish(us, peer);
        var forged = new HandMadeAke(TestKeys.Of(3), 0, version: 2);
        AssertRefusedOnly(us, forged.Commit(0), RejectReason.VersionNotAllowed);
        AssertRefusedOnly(us, forged.Key(0), RejectReason.VersionNotAllowed);
        AssertRefusedOnly(us, "?OTRv2?".Utf8(), RejectReason.VersionNotAllowed);
        Assert.Equal(3, ReadData.Of(us.Send("x").Wire().Single()).Version);
    }

    [Fact, Trait("hostile", "K15")]
    public void K15_a_forged_version_3_query_leaves_a_version_2_session_as_it_is()
    {
        Party us = new(1, Both), peer = new(2, new OtrSettings { Policy = OtrPolicy.AllowV2 });
        Network.Establish(us, peer);
        Assert.Equal(0x02, WireText.TypeOf(us.Receive("?OTRv3?").Wire().Single()));
        Assert.Equal(2, ReadData.Of(us.Send("x").Wire().Single()).Version);
        Network.Run(us, peer, us.Send("y"));
        Assert.Equal(["y"], peer.PrivateTexts);
    }

    [Theory, Trait("hostile", "K16")]
    [InlineData(true)]
    [InlineData(false)]
    public void K16_a_D_H_key_to_an_expired_commit_is_ignored_even_where_the_timer_is_late(bool timer)
    {
        var us = new Party(1);
        us.Receive("?OTRv3?");
        us.Now += OtrLimits.AkeLifetime;
        if (timer) us.Step(new OtrInput.TimePassed());
        var effects = us.Receive(new HandMadeAke(TestKeys.Of(2), 0x2222).Key(us.Account.InstanceTag));
        Assert.Empty(effects.Wire());
        Assert.Equal(RejectReason.UnexpectedAkeMessage, effects.OfType<OtrEffect.Rejected>().Single().Reason);
        Assert.Null(us.Look(s => s.Broadcast.Own));
        Assert.Single(us.All, e => e is OtrEffect.Noted { Kind: NoteKind.KeyExchangeExpired });
    }

    [Fact, Trait("hostile", "K16")]
    public void K16_a_clock_that_jumps_back_does_not_extend_the_life_of_a_commit()
    {
        var us = new Party(1);
        us.Receive("?OTRv3?");
        us.Now -= 86_400_000;
        Assert.Empty(us.Receive(new HandMadeAke(TestKeys.Of(2), 0x2222).Key(us.Account.InstanceTag)).Wire());
        Assert.Null(us.Look(s => s.Broadcast.Own));
    }
}
