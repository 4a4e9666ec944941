using Otr.Core.Crypto;
using Otr.Core.Crypto.Ed448;
using Otr.Core.Tests.Crypto;
using Otr.Core.V4.Ratchet;

namespace Otr.Core.Tests.V4;

/// <summary>The double ratchet against published sessions, and its bounds.</summary>
public class DoubleRatchetTests
{
    [Theory]
    [InlineData("double-ratchet", 25, 25, 9)]
    [InlineData("late-messages", 8, 8, 1)]
    [InlineData("expiry", 3, 3, 0)]
    public void Published_sessions_replay_from_their_draws(string file, int sent, int received, int refused)
    {
        var replay = new RatchetReplay(file);
        replay.Play();
        Assert.Equal((sent, received, refused), (replay.SentCount, replay.ReceivedCount, replay.RefusedCount));
    }

    private const long Day = 86_400_000;

    /// <summary>A message as the ratchet sees it.</summary>
    private sealed record Message(uint Previous, uint Ratchet, uint Number, byte[] Ecdh, byte[] Dh, byte[] Mac, int Revealed)
    {
        public RatchetHeader Header => new(Previous, Ratchet, Number, Ecdh, Dh);
    }

    private sealed class Pair : IDisposable
    {
        private readonly SeededRandom _random;
        public readonly DoubleRatchet Alice, Bob;

        public Pair(int seed)
        {
            _random = new SeededRandom(seed);
            byte[] root = _random.Bytes(64), a = _random.Bytes(57), b = _random.Bytes(57), x = _random.Bytes(80), y = _random.Bytes(80);
            Ed448KeyPair aliceEcdh = Ed448KeyPair.FromSeed(a), bobEcdh = Ed448KeyPair.FromSeed(b);
            Dh3072KeyPair aliceDh = Dh3072KeyPair.Restore(x), bobDh = Dh3072KeyPair.Restore(y);
            Alice = DoubleRatchet.StartSending(root, aliceEcdh, aliceDh, bobEcdh.Public, bobDh.Public);
            Bob = DoubleRatchet.StartReceiving(root, bobEcdh, bobDh, aliceEcdh.Public, aliceDh.Public, _random);
        }

        public Message Send(DoubleRatchet from)
        {
            using var keys = from.Send(_random, out var header, out var revealed);
            byte[] ecdh = header.Ecdh.ToArray(), dh = header.Dh.ToArray();
            return new Message(header.PreviousCount, header.RatchetId, header.MessageId, ecdh, dh, keys.Mac.ToArray(), revealed.Count);
        }

        public void Dispose()
        {
            Alice.Dispose();
            Bob.Dispose();
        }
    }

    private static RatchetFault Receive(DoubleRatchet to, Message message, long now = 0)
    {
        var fault = to.Open(message.Header, out var candidate);
        Assert.Equal(fault == RatchetFault.None, candidate is not null);
        if (candidate is null) return fault;
        Assert.Equal(message.Mac, candidate.Keys.Mac);
        to.Commit(candidate, now);
        candidate.Dispose();
        return fault;
    }

    private static string State(DoubleRatchet r) => string.Join(' ', r.Rotations, r.Sent, r.Received, r.PreviousCount,
        string.Join(',', r.Skipped), Convert.ToHexString([.. r.Keys.Root, .. r.Keys.Sending, .. r.Keys.Receiving]));

    /// <summary>The message is refused for that reason, and nothing changes.</summary>
    private static void Refused(RatchetFault fault, DoubleRatchet to, Message message)
    {
        var before = State(to);
        Assert.Equal(fault, to.Open(message.Header, out var candidate));
        Assert.Null(candidate);
        Assert.Equal(before, State(to));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Messages_in_any_order_open_once_and_lost_ones_hurt_nobody(int seed)
    {
        using var pair = new Pair(seed);
        var random = new Random(seed);
        var under = new List<(DoubleRatchet To, Message Message)>();
        for (int i = 0; i < 60; i++)
        {
            var (from, to) = random.Next(2) == 0 ? (pair.Alice, pair.Bob) : (pair.Bob, pair.Alice);
            under.Add((to, pair.Send(from)));
            while (under.Count > random.Next(8))
            {
                int at = random.Next(under.Count);
                var (receiver, message) = under[at];
                under.RemoveAt(at);
                if (random.Next(6) == 0) continue;
                Assert.Equal(RatchetFault.None, Receive(receiver, message));
                Refused(RatchetFault.NoKey, receiver, message);
            }
        }
        Assert.True(pair.Alice.Rotations > 5);
    }

    [Fact]
    public void A_thousand_messages_may_be_skipped_and_no_more()
    {
        using var pair = new Pair(4);
        var first = pair.Send(pair.Alice);
        Message last = first;
        for (int i = 0; i < OtrLimits.MaxSkippedKeys; i++) last = pair.Send(pair.Alice);
        var tooFar = pair.Send(pair.Alice);
        Refused(RatchetFault.TooManySkipped, pair.Bob, tooFar);
        Refused(RatchetFault.TooManySkipped, pair.Bob, tooFar with { Number = uint.MaxValue });
        Assert.Equal(RatchetFault.None, Receive(pair.Bob, last));
        Assert.Equal(OtrLimits.MaxSkippedKeys, pair.Bob.Skipped.Count());
        // One more to be stored puts out the oldest.
        var afterGap = pair.Send(pair.Alice);
        Assert.Equal(RatchetFault.None, Receive(pair.Bob, afterGap));
        Assert.Equal(OtrLimits.MaxSkippedKeys, pair.Bob.Skipped.Count());
        Refused(RatchetFault.NoKey, pair.Bob, first);
        Assert.Equal(RatchetFault.None, Receive(pair.Bob, tooFar));
        Assert.Equal(OtrLimits.MaxSkippedKeys - 1, pair.Bob.Skipped.Count());
    }

    [Fact]
    public void A_new_ratchet_announces_no_more_than_may_be_skipped()
    {
        using var pair = new Pair(5);
        Assert.Equal(RatchetFault.None, Receive(pair.Bob, pair.Send(pair.Alice)));
        Assert.Equal(RatchetFault.None, Receive(pair.Alice, pair.Send(pair.Bob)));
        var next = pair.Send(pair.Alice);
        const uint Most = OtrLimits.MaxSkippedKeys;
        (uint, uint)[] tooMany = [(uint.MaxValue, 0), (Most + 2, 0), (1, Most + 1), (2, Most), (Most + 1, 1)];
        foreach (var (previous, number) in tooMany)
            Refused(RatchetFault.TooManySkipped, pair.Bob, next with { Previous = previous, Number = number });
        Assert.Equal(RatchetFault.None, pair.Bob.Open((next with { Previous = Most + 1 }).Header, out var candidate));
        candidate!.Dispose();
        Assert.Equal(RatchetFault.None, Receive(pair.Bob, next));
        Assert.Empty(pair.Bob.Skipped);
    }

    [Fact]
    public void Ratchets_that_cannot_have_begun_and_keys_that_do_not_fit_are_refused()
    {
        using var pair = new Pair(6);
        var first = pair.Send(pair.Alice);
        Assert.Equal(RatchetFault.None, Receive(pair.Bob, first));
        var answer = pair.Send(pair.Bob);
        Assert.Equal(RatchetFault.None, Receive(pair.Alice, answer));
        // Alice has to rotate before the peer can: ratchet 1 would be its next one.
        Refused(RatchetFault.UnexpectedRatchet, pair.Alice, answer with { Ratchet = 1, Dh = [] });
        Refused(RatchetFault.UnexpectedRatchet, pair.Alice, answer with { Ratchet = 3 });
        Refused(RatchetFault.UnexpectedRatchet, pair.Alice, answer with { Ratchet = uint.MaxValue });

        var next = pair.Send(pair.Alice);
        Assert.Equal(1u, next.Ratchet);
        Refused(RatchetFault.DhPresence, pair.Bob, next with { Dh = first.Dh });
        Refused(RatchetFault.DhPresence, pair.Bob, first with { Dh = [] });
        Refused(RatchetFault.OtherKeys, pair.Bob, first with { Number = 1, Ecdh = next.Ecdh });
        Refused(RatchetFault.OtherKeys, pair.Bob, first with { Number = 1, Dh = answer.Dh });
        Refused(RatchetFault.InvalidKey, pair.Bob, next with { Ecdh = first.Ecdh });
        Refused(RatchetFault.InvalidKey, pair.Bob, next with { Ecdh = answer.Ecdh });
        Refused(RatchetFault.InvalidKey, pair.Bob, next with { Ecdh = new byte[57] });
        Refused(RatchetFault.InvalidKey, pair.Bob, next with { Ecdh = [1, .. new byte[56]] });
        Assert.Equal(RatchetFault.None, Receive(pair.Bob, next));
        Assert.Equal(RatchetFault.None, Receive(pair.Alice, pair.Send(pair.Bob)));

        var third = pair.Send(pair.Alice);
        Assert.Equal(3u, third.Ratchet);
        byte[][] invalid = [first.Dh, answer.Dh, Numbers.Bytes(1, 384), Numbers.Bytes(5, 384), Numbers.Bytes(ReferenceGroup.P3072 - 1,
            384)];
        foreach (var dh in invalid)
            Refused(RatchetFault.InvalidKey, pair.Bob, third with { Dh = dh });
        Assert.Equal(RatchetFault.None, Receive(pair.Bob, third));
    }

    [Fact]
    public void What_a_refused_message_led_to_is_thrown_away()
    {
        using var watched = new WatchedSecrets();
        using var pair = new Pair(7);
        var skipped = pair.Send(pair.Alice);
        var message = pair.Send(pair.Alice);
        var before = State(pair.Bob);
        for (int i = 0; i < 2; i++)
        {
            int made = watched.Made.Count;
            Assert.Equal(RatchetFault.None, pair.Bob.Open(message.Header, out var forged));
            Assert.True(watched.Holds(message.Mac));
            forged!.Dispose();
            Assert.False(watched.Holds(message.Mac));
            Assert.All(watched.Made.Skip(made), secret => Assert.False(secret.AsSpan().ContainsAnyExcept((byte)0)));
            Assert.Equal(before, State(pair.Bob));
        }
        Assert.Equal(RatchetFault.None, Receive(pair.Bob, message));
        // Stored keys outlive a forgery, and not their message.
        Assert.Equal(RatchetFault.None, pair.Bob.Open(skipped.Header, out var stored));
        var storedKeys = stored!.Keys;
        stored.Dispose();
        Assert.Equal(skipped.Mac, storedKeys.Mac);
        byte[] encryption = [.. storedKeys.Encryption];
        Assert.True(watched.Holds(encryption));
        Assert.Equal(RatchetFault.None, Receive(pair.Bob, skipped));
        // The MAC key waits to be revealed; the other is gone.
        Assert.False(watched.Holds(encryption));
        Assert.Throws<ObjectDisposedException>(() => storedKeys.Encryption.Length);
    }

    [Fact]
    public void Keys_of_messages_that_never_came_expire_and_their_MAC_keys_are_revealed()
    {
        using var pair = new Pair(8);
        var lost = pair.Send(pair.Alice);
        Assert.Equal(RatchetFault.None, Receive(pair.Bob, pair.Send(pair.Alice), now: 5));
        pair.Bob.Expire(5 + Day - 1);
        Assert.Single(pair.Bob.Skipped);
        pair.Bob.Expire(5 + Day);
        Assert.Empty(pair.Bob.Skipped);
        Refused(RatchetFault.NoKey, pair.Bob, lost);
        Assert.Equal(RatchetFault.None, Receive(pair.Alice, pair.Send(pair.Bob)));
        Assert.Equal(RatchetFault.None, Receive(pair.Bob, pair.Send(pair.Alice)));
        // The received ones, and the one that expired.
        Assert.Equal(3, pair.Send(pair.Bob).Revealed);
        Assert.Equal(0, pair.Send(pair.Bob).Revealed);
    }

    [Fact]
    public void An_expired_session_reveals_all_it_has_and_no_list_grows_without_end()
    {
        using var pair = new Pair(9);
        var lost = pair.Send(pair.Alice);
        for (int i = 0; i < OtrLimits.MaxPendingReveals + 5; i++) Assert.Equal(RatchetFault.None, Receive(pair.Bob, pair.Send(pair.Alice)));
        var revealed = pair.Bob.TakeAllReveals();
        Assert.Equal(OtrLimits.MaxPendingReveals + 1, revealed.Count);
        Assert.Equal(lost.Mac, revealed[^1].Span.ToArray());
        Assert.Empty(pair.Bob.TakeAllReveals());
        Assert.Empty(pair.Bob.Skipped);
    }

    [Fact]
    public void A_disposed_ratchet_is_wiped_and_none_is_printed()
    {
        using var watched = new WatchedSecrets();
        var pair = new Pair(10);
        pair.Send(pair.Alice);
        Receive(pair.Bob, pair.Send(pair.Alice));
        byte[][] keys = [.. new[] { pair.Alice, pair.Bob }.Select(r => (byte[])[.. r.Keys.Root])];
        Assert.All(keys, key => Assert.True(watched.Holds(key)));
        pair.Dispose();
        Assert.All(keys, key => Assert.False(watched.Holds(key)));
        foreach (var ratchet in new[] { pair.Alice, pair.Bob })
        {
            Assert.Throws<ObjectDisposedException>(() => ratchet.Keys.Root.Length);
            Assert.Empty(ratchet.Skipped);
            Assert.Equal(nameof(DoubleRatchet), ratchet.ToString());
        }
    }
}
