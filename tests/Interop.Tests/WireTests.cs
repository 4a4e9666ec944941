namespace Interop.Tests;

/// <summary>What data messages show on the wire: counters, key ids, revealed MAC keys.</summary>
public sealed class WireTests
{
    [Theory]
    [MemberData(nameof(Peers.WithLibotr), MemberType = typeof(Peers))]
    public async Task CountersBeginAtOneAndNeverRepeatForAPairOfKeys(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        var seen = new HashSet<(Peer, uint, uint, ulong)>();
        var last = new Dictionary<(Peer, uint, uint), ulong>();
        for (var n = 0; n < 60; n++)
        {
            var from = n * 7 % 5 < 3 ? network.A : network.B;
            await from.SendAsync($"text {n}");
            var message = DataMessageText.Parse(from.Outbox.Peek());
            Assert.True(seen.Add((from, message.SenderKeyId, message.RecipientKeyId, message.Counter)), "A counter was used twice.");
            var pair = (from, message.SenderKeyId, message.RecipientKeyId);
            Assert.Equal(last.GetValueOrDefault(pair) + 1, message.Counter);
            last[pair] = message.Counter;
            await network.SettleAsync();
        }
        Assert.True(last.Count > 10, "The keys hardly rotated.");
    }

    /// <summary>
    /// A revealed MAC key is one that has verified messages: each is checked against the messages that its revealer had
    /// received, and each is revealed once.
    /// </summary>
    [Theory]
    [MemberData(nameof(Peers.WithLibotr), MemberType = typeof(Peers))]
    public async Task OnlyKeysThatVerifiedSomethingAreRevealedEachOnce(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        var sentBy = new Dictionary<Peer, List<byte[]>> { [network.A] = [], [network.B] = [] };
        var revealedBy = new Dictionary<Peer, List<string>> { [network.A] = [], [network.B] = [] };
        for (var n = 0; n < 40; n++)
        {
            var from = n % 3 == 0 ? network.A : network.B;
            await from.SendAsync($"text {n}");
            var wire = from.Outbox.Peek();
            var keys = DataMessageText.Parse(wire).RevealedMacKeys;
            Assert.Equal(0, keys.Length % 20);
            foreach (var key in keys.Chunk(20))
            {
                var verified = sentBy[network.Other(from)].Any(earlier => IsMadeWith(key, earlier));
                Assert.True(verified, $"{from.Name} revealed a key that verified nothing.");
                revealedBy[from].Add(Convert.ToHexString(key));
            }
            sentBy[from].Add(wire);
            await network.SettleAsync();
        }
        foreach (var keys in revealedBy.Values)
        {
            Assert.NotEmpty(keys);
            Assert.Equal(keys.Count, keys.Distinct().Count());
        }
        Assert.Empty(revealedBy[network.A].Intersect(revealedBy[network.B]));
    }

    private static bool IsMadeWith(byte[] key, byte[] wire)
    {
        var bytes = DataMessageText.Decode(wire);
        var message = DataMessageText.Parse(wire);
        var covered = bytes.Length - 20 - 4 - message.RevealedMacKeys.Length;
        return System.Security.Cryptography.HMACSHA1.HashData(key, bytes.AsSpan(0, covered)).AsSpan().SequenceEqual(message.Mac);
    }
}
