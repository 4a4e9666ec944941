using System.Text;

namespace Interop.Tests;

/// <summary>
/// A network whose messages have 160 characters, and which loses, repeats and reorders them, as SMS does: nothing is read that was not
/// written, nothing twice, and people who start again can go on. Everything is drawn from a seed.
/// </summary>
public sealed class SmallMessagesTests
{
    private const int Limit = 160, Rounds = 3, Attempts = 60;

    /// <summary>libotr's mark of a text that it sends once more after a new session; it may have arrived before.</summary>
    private const string Resent = "[resent] ";

    public static TheoryData<string, string, int, int> Conversations
    {
        get
        {
            var data = new TheoryData<string, string, int, int>();
            foreach (var row in Peers.WithLibotr)
                foreach (var version in new[] { 2, 3 })
                    for (var seed = 1; seed <= 3; seed++) data.Add(row.Data.Item1, row.Data.Item2, version, seed);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Conversations))]
    public async Task AConversationSurvivesLossRepetitionAndReordering(string a, string b, int version, int seed)
    {
        await using var network = await Peers.ConnectAsync(a, b);
        foreach (var peer in new[] { network.A, network.B })
        {
            await peer.DoAsync($"policy v{version} require-encryption");
            await peer.DoAsync($"fragment {Limit}");
        }
        var noise = new Noise(network, seed, rate: 0.02 / seed);
        var said = new Dictionary<Peer, HashSet<string>> { [network.A] = [], [network.B] = [] };
        for (var round = 0; round < Rounds; round++)
        {
            await StartAsync(network, noise.SettleAsync);
            for (var n = 0; n < 6; n++)
            {
                var from = n % 2 == 0 ? network.A : network.B;
                var text = $"{from.Name} {round}.{n} {new string('x', noise.Draw(300))}";
                said[from].Add(text);
                await from.SendAsync(text);
                if (noise.Draw(2) == 0) await noise.SettleAsync();
            }
            await noise.SettleAsync();
            await VerifyAsync(network, noise.SettleAsync, round);
        }
        Assert.True(noise.Faults > 0);

        // The network is well again: whatever state the two are in, they start again and everything works.
        foreach (var peer in new[] { network.A, network.B }) await peer.TryAsync("end");
        await network.SettleAsync();
        await StartAsync(network, network.SettleAsync);
        foreach (var from in new[] { network.A, network.B })
        {
            var text = $"{from.Name}, at last {new string('y', 100)}";
            said[from].Add(text);
            await from.SendAsync(text);
            await network.SettleAsync();
            Assert.Contains(text, network.Other(from).Texts(encrypted: true));
        }
        for (var question = 0; question < 2; question++)
        {
            await VerifyAsync(network, network.SettleAsync, question);
            Assert.Equal(("success", "success"), (network.A.Smp.Last(), network.B.Smp.Last()));
        }
        foreach (var from in new[] { network.A, network.B })
        {
            var heard = network.Other(from).Texts(encrypted: true).ToArray();
            Assert.Distinct(heard);
            Assert.Subset(said[from], heard.Select(Unmarked).ToHashSet());
            Assert.Empty(network.Other(from).Texts(encrypted: false));
        }
    }

    private static string Unmarked(string text) => text.StartsWith(Resent, StringComparison.Ordinal) ? text[Resent.Length..] : text;

    /// <summary>One of them asks, waits, and asks again, until both are in one private session.</summary>
    private static async Task StartAsync(Network network, Func<Task> settle)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var left = await network.A.StateAsync();
            var right = await network.B.StateAsync();
            if (left["state"] == "ENCRYPTED" && right["state"] == "ENCRYPTED" && left["ssid"] == right["ssid"]) return;
            foreach (var peer in new[] { network.A, network.B }) await peer.TryAsync("pass 15");
            await (attempt % 2 == 0 ? network.A : network.B).DoAsync("start");
            await settle();
        }
        Assert.Fail("No session came to be.");
    }

    /// <summary>Whatever comes of it.</summary>
    private static async Task VerifyAsync(Network network, Func<Task> settle, int round)
    {
        var (asks, answers) = round % 2 == 0 ? (network.A, network.B) : (network.B, network.A);
        await asks.TryAsync("smp-abort");
        await answers.TryAsync("smp-abort");
        await settle();
        await asks.TryAsync(round % 2 == 0 ? "smp-start secret" : "smp-start secret Where did we meet?");
        await settle();
        await answers.TryAsync("smp-answer secret");
        await settle();
    }

    /// <summary>Faults of the network, in both directions.</summary>
    /// <param name="rate">Probability of each kind of fault for each message.</param>
    private sealed class Noise(Network network, int seed, double rate)
    {
        private const int MostMessages = 20_000, Remembered = 8;
        private readonly Random _random = new(seed);
        private readonly Dictionary<Peer, Queue<byte[]>> _carried = new() { [network.A] = new(), [network.B] = new() };

        public int Faults { get; private set; }

        public int Draw(int below) => _random.Next(below);

        /// <summary>Delivers, or does not, until nobody has anything to say.</summary>
        public async Task SettleAsync()
        {
            for (var n = 0; network.A.Outbox.Count + network.B.Outbox.Count > 0; n++)
            {
                Assert.True(n < MostMessages, "The peers do not stop answering each other.");
                var from = network.A.Outbox.Count > 0 && (Draw(2) == 0 || network.B.Outbox.Count == 0) ? network.A : network.B;
                var message = from.Outbox.Dequeue();
                if (Happens()) continue;
                if (from.Outbox.Count > 0 && Happens()) await CarryAsync(from, from.Outbox.Dequeue());
                await CarryAsync(from, message);
                if (Happens()) await CarryAsync(from, message);
                // Some of what came long ago comes once more.
                if (Happens()) foreach (var late in _carried[from].ToArray()) await CarryAsync(from, late);
            }
        }

        private async Task CarryAsync(Peer from, byte[] message)
        {
            // libotr never cuts its query, which has a page of text for those without OTR.
            if (!Encoding.UTF8.GetString(message).StartsWith("?OTRv", StringComparison.Ordinal)) Assert.InRange(message.Length, 1, Limit);
            _carried[from].Enqueue(message);
            if (_carried[from].Count > Remembered) _carried[from].Dequeue();
            await network.Other(from).ReceiveAsync(message);
        }

        private bool Happens()
        {
            var happens = _random.NextDouble() < rate;
            if (happens) Faults++;
            return happens;
        }
    }
}
