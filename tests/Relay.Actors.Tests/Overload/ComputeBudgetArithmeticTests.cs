using Otr.Core;
using Relay.Actors.Endpoints;
using Relay.Actors.Tests.Harness;

namespace Relay.Actors.Tests.Overload;

/// <summary>The endpoints' buckets, against a bucket counted by hand.</summary>
public class ComputeBudgetArithmeticTests
{
    private static readonly ComputeAllowance Small = new(new(5, 2), new(7, 4), new(1, 1));

    [Fact]
    public void As_many_as_the_burst_at_once_and_then_one_an_interval()
    {
        var time = new ManualTime();
        var budgets = new ComputeBudgets(Small, time);
        bool Take() => budgets.TrySpend("a", ComputeCost.StrangersKeyExchange);
        for (int i = 0; i < 5; i++) Assert.True(Take());
        Assert.False(Take());
        time.Advance(TimeSpan.FromMilliseconds(499));
        Assert.False(Take());
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(Take());
        Assert.False(Take());
        time.Advance(TimeSpan.FromDays(400));
        for (int i = 0; i < 5; i++) Assert.True(Take());
        Assert.False(Take());
    }

    [Fact]
    public void Kinds_and_endpoints_have_their_own()
    {
        var budgets = new ComputeBudgets(Small, new ManualTime());
        while (budgets.TrySpend("a", ComputeCost.StrangersKeyExchange)) { }
        for (int i = 0; i < 7; i++) Assert.True(budgets.TrySpend("a", ComputeCost.KeyExchange));
        Assert.False(budgets.TrySpend("a", ComputeCost.KeyExchange));
        Assert.True(budgets.TrySpend("a", ComputeCost.SmpRun));
        Assert.False(budgets.TrySpend("a", ComputeCost.SmpRun));
        Assert.True(budgets.TrySpend("b", ComputeCost.StrangersKeyExchange));
    }

    /// <summary>Tokens in sixty-fourths of an interval, counted up and capped: what the time of fullness must come to.</summary>
    [Fact]
    public void Any_schedule_gives_what_a_bucket_of_tokens_gives()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var rate = new ComputeRate(random.Next(1, 20), 1 << random.Next(0, 6));
            var time = new ManualTime();
            var budgets = new ComputeBudgets(Small with { KeyExchange = rate }, time);
            long interval = TimeSpan.TicksPerSecond / rate.PerSecond, tokens = rate.Burst * interval;
            for (int i = 0; i < 300; i++)
            {
                long pass = random.Next(3) == 0 ? random.NextInt64(3 * interval) : 0;
                time.Advance(TimeSpan.FromTicks(pass));
                tokens = Math.Min(rate.Burst * interval, tokens + pass);
                bool expected = tokens >= interval;
                if (expected) tokens -= interval;
                Assert.True(expected == budgets.TrySpend("a", ComputeCost.KeyExchange), $"Seed {seed}, step {i}.");
            }
        }
    }

    [Fact]
    public void Endpoints_that_have_spent_nothing_lately_cost_no_memory_and_those_that_have_are_not_refilled()
    {
        var time = new ManualTime();
        var budgets = new ComputeBudgets(Small, time);
        while (budgets.TrySpend("busy", ComputeCost.SmpRun)) { }
        for (int i = 0; i < 10_000; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(600));
            budgets.TrySpend($"e{i}", ComputeCost.StrangersKeyExchange);
            if (i % 2 == 0) budgets.TrySpend("busy", ComputeCost.KeyExchange);
            Assert.InRange(budgets.Count, 1, 1100);
        }
        while (budgets.TrySpend("busy", ComputeCost.KeyExchange)) { }
        for (int i = 0; i < 3000; i++) budgets.TrySpend($"f{i}", ComputeCost.SmpRun);
        Assert.False(budgets.TrySpend("busy", ComputeCost.KeyExchange));
    }

    [Fact]
    public void The_default_is_what_the_limits_say()
    {
        Assert.Equal(new ComputeRate(RelayLimits.StrangersKeyExchangeBurst, RelayLimits.StrangersKeyExchangesPerSecond), ComputeAllowance.Default.StrangersKeyExchange);
        Assert.All(Enum.GetValues<ComputeCost>(), c => Assert.InRange(ComputeAllowance.Default.Of(c).PerSecond, 1, int.MaxValue));
        // Ten thousand contacts of one bot, two messages each, are through within half a minute.
        var contacts = ComputeAllowance.Default.KeyExchange;
        Assert.InRange((2 * 10_000 - contacts.Burst) / contacts.PerSecond, 0, 30);
        // One endpoint's strangers and contacts at 0.25 ms a message and SMP at 20 ms a run: less than half of one core.
        double share = 0.25e-3 * (ComputeAllowance.Default.StrangersKeyExchange.PerSecond + contacts.PerSecond) + 20e-3 * ComputeAllowance.Default.SmpRun.PerSecond;
        Assert.InRange(share, 0, 0.5);
    }
}
