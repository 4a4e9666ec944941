using System.Text;

namespace Interop.Tests;

/// <summary>Networks that limit the length of a message.</summary>
public sealed class FragmentTests
{
    public static TheoryData<string, string, int> PairsAndSizes
    {
        get
        {
            var data = new TheoryData<string, string, int>();
            foreach (var row in Peers.Pairs)
                foreach (var size in new[] { 100, 400 })
                    data.Add(row.Data.Item1, row.Data.Item2, size);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(PairsAndSizes))]
    public async Task AWholeConversationInFragments(string a, string b, int size)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.A.DoAsync($"fragment {size}");
        await network.B.DoAsync($"fragment {size}");
        await network.A.DoAsync("start");
        var longest = await SettleAndMeasureAsync(network);
        await network.AssertAgreedAsync();
        foreach (var length in new[] { 1, 50, 300, 10_000 })
        {
            foreach (var from in new[] { network.A, network.B })
            {
                var text = new string((char)('a' + length % 26), length);
                await from.SendAsync(text);
                longest = Math.Max(longest, await SettleAndMeasureAsync(network));
                Assert.Equal(text, network.Other(from).Texts(encrypted: true).Last());
            }
        }
        Assert.True(longest <= size, $"A message of {longest} bytes was sent.");
    }

    /// <summary>What Relay sends the other takes, and the other way round: lengths and limits drawn anew for each pair, always the same.</summary>
    [Theory]
    [MemberData(nameof(Peers.Pairs), MemberType = typeof(Peers))]
    public async Task TextsOfEveryLengthThroughNetworksOfEveryLimit(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        var random = new Random(20);
        for (var n = 0; n < 12; n++)
        {
            // As many short texts as long ones; no limit once in four. Shorter pieces would be more than a receiver puts together.
            var length = (int)Math.Exp(random.NextDouble() * Math.Log(30_000));
            var limit = random.Next(4) == 0 ? 0 : random.Next(300, 4_000);
            await network.A.DoAsync($"fragment {limit}");
            await network.B.DoAsync($"fragment {limit}");
            var text = string.Create(length, n, static (letters, seed) =>
            {
                for (var i = 0; i < letters.Length; i++) letters[i] = (char)('a' + (i + seed) % 26);
            });
            await network.SayAsync(network.A, text);
            await network.SayAsync(network.B, text);
        }
    }

    /// <summary>Every remainder of the division into pieces, an empty last piece being the classic mistake.</summary>
    [Theory]
    [InlineData(Peers.Relay, Peers.Libotr)]
    [InlineData(Peers.Libotr, Peers.Relay)]
    public async Task EveryRemainder(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        for (var size = 80; size < 160; size++)
        {
            await network.A.DoAsync($"fragment {size}");
            await network.SayAsync(network.A, $"in pieces of {size}");
        }
        Assert.Empty(network.B.Codes("error"));
    }

    [Theory]
    [MemberData(nameof(Peers.WithLibotr), MemberType = typeof(Peers))]
    public async Task ALostFragmentLosesItsMessageOnly(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        foreach (var from in new[] { network.A, network.B })
        {
            var to = network.Other(from);
            await from.DoAsync("fragment 150");
            for (var lost = 0; lost < 3; lost++)
            {
                await from.SendAsync("broken");
                var pieces = Network.Hold(from);
                Assert.True(pieces.Count >= 3);
                for (var n = 0; n < pieces.Count; n++)
                    if (n != lost * (pieces.Count - 1) / 2) await to.ReceiveAsync(pieces[n]);
                network.Drop();
                await network.SayAsync(from, $"whole {lost}");
            }
            Assert.DoesNotContain("broken", to.Texts(encrypted: true));
        }
    }

    [Theory]
    [MemberData(nameof(Peers.WithLibotr), MemberType = typeof(Peers))]
    public async Task FragmentsInTheWrongOrderAreDropped(string a, string b)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        await network.MakePrivateAsync();
        await network.A.DoAsync("fragment 150");
        await network.A.SendAsync("swapped");
        var pieces = Network.Hold(network.A);
        (pieces[1], pieces[2]) = (pieces[2], pieces[1]);
        foreach (var piece in pieces) await network.B.ReceiveAsync(piece);
        network.Drop();
        Assert.Empty(network.B.Texts(encrypted: true));
        await network.SayAsync(network.A, "in order");
    }

    /// <summary>Queries are for people without OTR, too; libotr sends them whole.</summary>
    private static async Task<int> SettleAndMeasureAsync(Network network)
    {
        var longest = 0;
        while (network.A.Outbox.Count + network.B.Outbox.Count > 0)
        {
            var from = network.A.Outbox.Count > 0 ? network.A : network.B;
            var message = from.Outbox.Peek();
            if (!Encoding.UTF8.GetString(message).StartsWith("?OTRv", StringComparison.Ordinal)) longest = Math.Max(longest, message.Length);
            await network.DeliverAsync(from);
        }
        return longest;
    }
}
