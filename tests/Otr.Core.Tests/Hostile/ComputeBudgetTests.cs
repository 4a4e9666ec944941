using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Crypto;
using Otr.Core.Tests.Kit;
using Otr.Core.Wire;

namespace Otr.Core.Tests.Hostile;

/// <summary>What a caller's budget has no room for is not computed, changes nothing, and can be given again.</summary>
public class ComputeBudgetTests
{
    private static readonly OtrEffect.Rejected Postponed = new(RejectReason.Overloaded, Quiet: true);

    /// <summary>Every message of a conversation that costs the receiver much; the peer's SMP only where it begins a run.</summary>
    [Theory]
    [InlineData(3, "query", ComputeCost.StrangersKeyExchange)]
    [InlineData(3, "commit", ComputeCost.StrangersKeyExchange)]
    [InlineData(3, "key", ComputeCost.StrangersKeyExchange)]
    [InlineData(3, "reveal", ComputeCost.StrangersKeyExchange)]
    [InlineData(3, "smp 1q", ComputeCost.SmpRun)]
    [InlineData(2, "query", ComputeCost.StrangersKeyExchange)]
    [InlineData(2, "commit", ComputeCost.StrangersKeyExchange)]
    [InlineData(2, "key", ComputeCost.StrangersKeyExchange)]
    [InlineData(2, "reveal", ComputeCost.StrangersKeyExchange)]
    [InlineData(2, "smp 1q", ComputeCost.SmpRun)]
    public void What_is_not_afforded_leaves_everything_as_it_was_and_is_taken_later(int version, string name, ComputeCost cost)
    {
        var moment = Recording.Of(version)[name];
        var us = moment.Fresh();
        // Text that waits in pieces must wait on; v2 has one sender only.
        us.Receive(version == 3 ? "?OTR|7777|0,1,2,?OTR:," : "?OTR,1,2,?OTR:,");
        var before = us.Snapshot();
        var budget = new TestBudget(_ => false);
        us.Budget = budget;
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal([Postponed], us.Receive(moment.Wire));
            Assert.False(us.Conversation.IsDirty);
            Assert.Equal(before, us.Snapshot());
        }
        Assert.Equal([cost, cost, cost], budget.Asked);

        us.Budget = TestBudget.Full;
        var later = us.Receive(moment.Wire);
        var free = moment.Fresh().Receive(moment.Wire);
        Assert.Equal(free.Select(e => e.GetType()), later.Select(e => e.GetType()));
        Assert.DoesNotContain(later, e => e is OtrEffect.Rejected);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_large_dsa_key_is_paid_for_by_its_size(bool weReveal)
    {
        var large = OpenSslDsa2048.Import();
        foreach (var (key, price) in new[] { (TestKeys.Of(2), 1), (large, 4) })
        {
            var peer = new HandMadeAke(key, 0x2222, seed: 5);
            var us = new Party(1, new OtrSettings { Policy = OtrPolicy.AllowV3 });
            byte[] last;
            if (weReveal)
            {
                var commit = us.Receive("?OTRv3?").Wire().Single();
                var reveal = us.Receive(peer.Key(us.Account.InstanceTag)).Wire().Single();
                last = peer.Signature(us.Account.InstanceTag, peer.ReadReveal(commit, reveal));
            }
            else last = peer.Reveal(us.Account.InstanceTag, peer.ReadKey(us.Receive(peer.Commit(0)).Wire().Single()));
            // The message itself costs one more where it is a Reveal Signature.
            var whole = weReveal ? price - 1 : price;
            for (var room = 0; room < whole; room++)
            {
                var left = room;
                us.Budget = new TestBudget(_ => left-- > 0);
                Assert.Equal([Postponed], us.Receive(last));
            }
            var budget = TestBudget.Full;
            us.Budget = budget;
            us.Receive(last);
            Assert.Equal(MessageState.Encrypted, us.Conversation.State);
            Assert.Equal(whole, budget.Asked.Count);
            // Where the message was paid for and only its key could not be, the exponentiation was done, and stays paid for.
            Assert.Equal(price + 1 + (weReveal ? 0 : whole - 1), us.Look(s => s.AkeBudget.Used));
        }
    }

    [Fact]
    public void A_stranger_s_large_keys_use_up_the_bound_of_one_peer()
    {
        var large = OpenSslDsa2048.Import();
        var us = new Party(1, new OtrSettings { Policy = OtrPolicy.AllowV3 });
        var taken = 0;
        for (var i = 0; i < OtrLimits.AkeBurst; i++)
        {
            var peer = new HandMadeAke(large, 0x2222, seed: 5);
            if (us.Receive(peer.Commit(0)).Wire().SingleOrDefault() is not { Length: > 0 } key) break;
            us.Receive(peer.Reveal(us.Account.InstanceTag, peer.ReadKey(key)));
            if (us.Conversation.State == MessageState.Encrypted) taken++;
            us.End();
        }
        Assert.Equal(OtrLimits.AkeBurst / 5, taken);
        Assert.Equal(RejectReason.RateLimited, us.Rejects.Last());
    }

    [Theory]
    [InlineData("signature")]
    [InlineData("data")]
    [InlineData("reply")]
    [InlineData("reveals")]
    [InlineData("extra key")]
    [InlineData("smp 2")]
    [InlineData("smp 3")]
    [InlineData("smp 4")]
    [InlineData("disconnect")]
    public void What_a_session_and_a_begun_run_need_is_never_asked_for(string name)
    {
        foreach (int version in (int[])[2, 3])
        {
            var moment = Recording.Of(version)[name];
            var us = moment.Fresh();
            var budget = new TestBudget(_ => false);
            us.Budget = budget;
            Assert.DoesNotContain(Postponed, us.Receive(moment.Wire));
            Assert.Empty(budget.Asked);
        }
    }

    [Fact]
    public void A_postponed_message_in_pieces_needs_only_its_last_one_again()
    {
        var moment = Recording.Of(3)["reveal"];
        var us = moment.Fresh();
        var pieces = Fragmenter.Cut(moment.Wire, 200, 3, 0x1002, us.Account.InstanceTag).ToArray();
        foreach (var piece in pieces[..^1]) us.Receive(piece);
        var before = us.Snapshot();
        us.Budget = TestBudget.Empty;
        us.Now += 1000;
        for (int i = 0; i < 3; i++) Assert.Equal([Postponed], us.Receive(pieces[^1]));
        Assert.Equal(before, us.Snapshot());
        us.Budget = null;
        us.Receive(pieces[^1]);
        Assert.Equal(MessageState.Encrypted, us.Conversation.State);
        Assert.Equal(0, us.Look(s => s.Fragments.Count));
    }

    [Fact]
    public void A_postponed_message_in_one_piece_leaves_no_buffer()
    {
        var moment = Recording.Of(3)["commit"];
        var us = moment.Fresh();
        us.Budget = TestBudget.Empty;
        var piece = Fragmenter.Cut(moment.Wire, moment.Wire.Length + 36, 3, 0x1002, us.Account.InstanceTag).Single();
        Assert.Equal([Postponed], us.Receive(piece));
        us.Restore(us.Snapshot());
        us.Budget = null;
        Assert.Single(us.Receive(piece).Wire());
    }

    [Fact]
    public void Text_with_an_offer_does_not_wait_for_the_budget()
    {
        var us = new Party(1, new OtrSettings { Policy = OtrPolicy.Opportunistic });
        var tagged = "hello\u0020\t\u0020\u0020\t\t\t\t\u0020\t\u0020\t\u0020\t\u0020\u0020\u0020\u0020\t\t\u0020\u0020\t\t";
        us.Budget = TestBudget.Empty;
        var effects = us.Receive(tagged);
        Assert.Equal("hello", Assert.Single(us.Texts));
        Assert.Equal([new OtrEffect.Rejected(RejectReason.RateLimited)], effects.OfType<OtrEffect.Rejected>());
        us.Budget = null;
        Assert.Single(us.Receive(tagged).Wire());
    }

    /// <summary>Else one peer that floods would use up what its endpoint has for all.</summary>
    [Fact]
    public void A_peer_beyond_its_own_bound_costs_the_others_nothing()
    {
        var us = new Party(1);
        var budget = new TestBudget(_ => true);
        us.Budget = budget;
        for (var i = 0; i < 3 * OtrLimits.AkeBurst; i++)
        {
            us.Receive(new HandMadeAke(TestKeys.Of(2), 0x2222).Commit(0));
            us.End();
        }
        Assert.Equal(OtrLimits.AkeBurst, budget.Asked.Count);
    }

    [Fact]
    public void A_peer_whose_key_is_known_is_no_stranger()
    {
        Party us = new(1), peer = new(2);
        var budget = new TestBudget(_ => true);
        us.Budget = budget;
        Network.Establish(us, peer);
        Assert.All(budget.Asked, c => Assert.Equal(ComputeCost.StrangersKeyExchange, c));
        budget.Asked.Clear();
        us.Restore(us.Snapshot());
        Network.Establish(peer, us);
        Assert.NotEmpty(budget.Asked);
        Assert.All(budget.Asked, c => Assert.Equal(ComputeCost.KeyExchange, c));
    }

    /// <summary>Who made the exchange has the keys to sign as many wrong ones as it likes.</summary>
    [Fact]
    public void Wrong_signatures_with_a_right_mac_are_paid_for_until_the_exchange_is_given_up()
    {
        var us = new Party(1);
        var commit = us.Receive("?OTRv3?").Wire().Single();
        var alice = new HandMadeAke(TestKeys.Of(2), 0x2222);
        var reveal = us.Receive(alice.Key(us.Account.InstanceTag)).Wire().Single();
        var budget = new TestBudget(_ => true);
        us.Budget = budget;
        var wrong = alice.Signature(us.Account.InstanceTag, alice.ReadReveal(commit, reveal), new XFaults { Signature = s => { s[7] ^= 1; return s; } });
        var outcomes = Enumerable.Range(0, 3 * OtrLimits.AkeBurst).Select(_ => us.Receive(wrong).OfType<OtrEffect.Rejected>().Single().Reason).ToList();
        var verified = outcomes.Count(o => o == RejectReason.BadSignature);
        Assert.InRange(verified, 2, OtrLimits.AkeBurst);
        Assert.Equal(verified - 1, budget.Asked.Count);
        Assert.All(outcomes[verified..], o => Assert.Equal(RejectReason.UnexpectedAkeMessage, o));
    }

    [Fact]
    public void A_wrong_mac_costs_nobody_anything()
    {
        var us = new Party(1);
        var commit = us.Receive("?OTRv3?").Wire().Single();
        var alice = new HandMadeAke(TestKeys.Of(2), 0x2222);
        var reveal = us.Receive(alice.Key(us.Account.InstanceTag)).Wire().Single();
        var gx = alice.ReadReveal(commit, reveal);
        var budget = new TestBudget(_ => false);
        us.Budget = budget;
        for (var i = 0; i < 3 * OtrLimits.AkeBurst; i++)
            us.Receive(alice.Signature(us.Account.InstanceTag, gx, new XFaults { Mac = m => { m[0] ^= 1; return m; } }));
        Assert.Empty(budget.Asked);
        us.Receive(alice.Signature(us.Account.InstanceTag, gx));
        Assert.Equal(MessageState.Encrypted, us.Conversation.State);
    }

    /// <summary>A schedule of yes and no in which everything is given again until it is taken: the conversation is the same.</summary>
    [Fact]
    public void Whatever_is_postponed_the_conversation_comes_about()
    {
        for (var seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            var settings = new OtrSettings { Policy = OtrPolicy.AllowV3 | OtrPolicy.RequireEncryption, MaxWireBytes = seed % 2 == 0 ? 300 : 0 };
            Party a = new(1, settings), b = new(2, settings);
            a.Budget = new TestBudget(_ => random.Next(3) == 0);
            b.Budget = new TestBudget(_ => random.Next(3) == 0);
            void Run(Party first, IEnumerable<OtrEffect> effects)
            {
                var ways = new Dictionary<Party, Queue<ReadOnlyMemory<byte>>> { [a] = new(), [b] = new() };
                foreach (var w in effects.Wire()) ways[first == a ? b : a].Enqueue(w);
                for (var i = 0; ways.Values.Any(q => q.Count > 0); i++)
                {
                    Assert.True(i < 10_000, $"Seed {seed} never falls silent.");
                    var (to, way) = ways.Where(w => w.Value.Count > 0).MinBy(_ => random.Next());
                    if (random.Next(4) == 0) to.Restore(to.Snapshot());
                    var out_ = to.Receive(way.Peek());
                    if (out_.Contains(Postponed)) continue;
                    way.Dequeue();
                    foreach (var w in out_.Wire()) ways[to == a ? b : a].Enqueue(w);
                }
            }
            Run(a, a.Send("one"));
            Run(b, b.Send("two"));
            Run(a, a.Step(new OtrInput.SmpStartRequested("s"u8.ToArray())));
            Run(b, b.Step(new OtrInput.SmpAnswerRequested(b.All.OfType<OtrEffect.SmpAnswerNeeded>().Single().Token, "s"u8.ToArray())));
            Run(a, a.Send("three"));
            Assert.Equal(["one", "three"], b.PrivateTexts);
            Assert.Equal(["two"], a.PrivateTexts);
            Assert.All([a, b], p => Assert.Equal(SmpOutcome.Success, p.All.OfType<OtrEffect.SmpChanged>().Last().Outcome));
            Assert.All([a, b], p => Assert.All(p.Rejects, r => Assert.Equal(RejectReason.Overloaded, r)));
            Assert.Single(a.All.OfType<OtrEffect.SessionChanged>());
        }
    }
}
