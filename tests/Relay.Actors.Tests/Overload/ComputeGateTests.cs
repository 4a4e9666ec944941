using Relay.Actors.Conversations;

namespace Relay.Actors.Tests.Overload;

/// <summary>Who computes next: bounded, and an endpoint's turn does not depend on how many wait for the others.</summary>
public class ComputeGateTests
{
    [Fact]
    public async Task A_thousand_of_one_endpoint_wait_behind_one_of_another()
    {
        var gate = new ComputeGate(1);
        await gate.EnterAsync("x");
        var flood = Enumerable.Range(0, 1000).Select(_ => gate.EnterAsync("flooded").AsTask()).ToArray();
        var other = gate.EnterAsync("other").AsTask();
        Assert.False(other.IsCompleted);
        gate.Leave();
        Assert.True(flood[0].IsCompletedSuccessfully);
        Assert.False(other.IsCompleted);
        gate.Leave();
        Assert.True(other.IsCompletedSuccessfully);
        Assert.Equal(1, flood.Count(f => f.IsCompleted));
        for (int i = 0; i < 999; i++) gate.Leave();
        await Task.WhenAll(flood);
    }

    [Fact]
    public async Task Who_gives_up_is_passed_over()
    {
        var gate = new ComputeGate(1);
        await gate.EnterAsync("a");
        using var cancelled = new CancellationTokenSource();
        var gone = gate.EnterAsync("b", cancelled.Token).AsTask();
        var next = gate.EnterAsync("c").AsTask();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        gate.Leave();
        await next;
        gate.Leave();
        // The place is free again, not lost.
        Assert.True(gate.EnterAsync("d").IsCompletedSuccessfully);
        Assert.False(gate.EnterAsync("e").IsCompleted);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await gate.EnterAsync("f", cancelled.Token));
    }

    [Fact]
    public void Any_schedule_keeps_to_the_slots_serves_all_and_lets_nobody_wait_longer_than_a_round()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            int slots = random.Next(1, 5), endpoints = random.Next(1, 8), inside = 0, served = 0;
            var gate = new ComputeGate(slots);
            var waiting = new List<(int Endpoint, Task Turn)>();
            // Turns given to others since this endpoint has been waiting for its next one.
            var passedOver = new int[endpoints];
            void Collect()
            {
                foreach (var done in waiting.Where(w => w.Turn.IsCompletedSuccessfully).ToArray())
                {
                    waiting.Remove(done);
                    inside++;
                    served++;
                    for (int e = 0; e < endpoints; e++) passedOver[e] = e == done.Endpoint || !waiting.Exists(w => w.Endpoint == e) ? 0 : passedOver[e] + 1;
                    Assert.All(passedOver, p => Assert.InRange(p, 0, endpoints));
                }
                Assert.InRange(inside, 0, slots);
                Assert.True(inside == slots || waiting.Count == 0, $"Seed {seed}: a slot is free while somebody waits.");
            }
            int asked = 0;
            for (int i = 0; i < 400; i++)
            {
                if (random.Next(3) > 0)
                {
                    // The first endpoint floods.
                    int e = random.Next(2) == 0 ? 0 : random.Next(endpoints);
                    waiting.Add((e, gate.EnterAsync($"e{e}").AsTask()));
                    asked++;
                }
                else if (inside > 0)
                {
                    inside--;
                    gate.Leave();
                }
                Collect();
            }
            while (inside > 0)
            {
                inside--;
                gate.Leave();
                Collect();
            }
            Assert.Equal(asked, served);
        }
    }
}
