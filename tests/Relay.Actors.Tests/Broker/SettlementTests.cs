using Relay.Actors.Cluster.Broker;

namespace Relay.Actors.Tests.Broker;

/// <summary>How deliveries are acknowledged and confirms are counted.</summary>
public sealed class SettlementTests
{
    /// <summary>The broker's side: what is acknowledged must be open, for it closes the channel otherwise.</summary>
    private sealed class Ledger(int deliveries)
    {
        private readonly SortedSet<ulong> _open = [.. Enumerable.Range(1, deliveries).Select(n => (ulong)n)];

        public IReadOnlyCollection<ulong> Open => _open;

        public int Words { get; private set; }

        public void Tell(SettlementWindow window, HashSet<ulong> settled)
        {
            List<ulong> single = [];
            window.Take(out ulong upTo, single);
            if (upTo != 0)
            {
                Assert.Contains(upTo, _open);
                Assert.All(_open.Where(t => t <= upTo), t => Assert.Contains(t, settled));
                _open.RemoveWhere(t => t <= upTo);
                Words++;
            }
            foreach (var tag in single)
            {
                Assert.True(_open.Remove(tag));
                Assert.Contains(tag, settled);
                Words++;
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void InWhateverOrderDeliveriesAreSettledTheBrokerHearsOfEachOnceAndOnlyOfThose(int seed)
    {
        const int count = 2000, held = 8;
        var random = new Random(seed);
        var window = new SettlementWindow(held);
        var ledger = new Ledger(count);
        HashSet<ulong> settled = [];
        // Nearly in order, as work on many conversations ends.
        foreach (var tag in Enumerable.Range(1, count).OrderBy(n => n + random.Next(40)))
        {
            window.Settle((ulong)tag);
            settled.Add((ulong)tag);
            if (random.Next(3) != 0) continue;
            ledger.Tell(window, settled);
            // What is settled and not told waits only for an open one below, and is not much.
            Assert.InRange(ledger.Open.Count(settled.Contains), 0, held);
        }
        ledger.Tell(window, settled);

        Assert.Empty(ledger.Open);
        Assert.InRange(ledger.Words, 1, count - 1);
    }

    [Fact]
    public void DeliveriesSettledInOrderAreAcknowledgedWithOneWord()
    {
        var window = new SettlementWindow(8);
        for (ulong tag = 1; tag <= 100; tag++) window.Settle(tag);
        List<ulong> single = [];

        window.Take(out ulong upTo, single);

        Assert.Equal(100ul, upTo);
        Assert.Empty(single);
    }

    [Fact]
    public void ConfirmsAreTakenOneByOneOrAllUpToOne()
    {
        var window = new ConfirmWindow();
        for (ulong number = 101; number <= 110; number++) window.Add(new PendingCommand(number, "", [], 0));

        Assert.Equal([103ul], window.Take(3, multiple: false).Select(c => c.Number));
        Assert.Equal([101ul, 102, 104, 105], window.Take(5, multiple: true).Select(c => c.Number));
        Assert.Empty(window.Take(5, multiple: true));
        Assert.Empty(window.Take(4, multiple: false));
        Assert.Empty(window.Take(99, multiple: false));
        Assert.Equal([106ul, 107, 108, 109, 110], window.Take(ulong.MaxValue, multiple: true).Select(c => c.Number));
        Assert.Equal(0, window.Count);
    }
}
