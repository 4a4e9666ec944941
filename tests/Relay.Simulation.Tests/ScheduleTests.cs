using System.Globalization;
using Relay.Simulation.Tests.Engine;

namespace Relay.Simulation.Tests;

/// <summary>Thousands of schedules of the real nodes, each set by its seed.</summary>
public sealed class ScheduleTests
{
    private const int Seeds = 3_000;
    private const int LongFactor = 50;

    private static readonly string[] Wanted =
    [
        .. Enum.GetNames<Fault>().Except([nameof(Fault.None), nameof(Fault.All)]),
        "Fenced", "Conflict", "StoreFailed", "commits after all", "rolls back", "repeats message of type", "gives up waiting", "connection is reset",
        "tries again", "asks again", "expired", "moved", "late copy: command comes", "zombie takes a turn",
    ];

    [Fact]
    public void Every_schedule_keeps_every_invariant()
    {
        if (Simulation.Replay is { } seed)
        {
            Simulation.RunOne(seed, Console.WriteLine);
            return;
        }
        int count = Simulation.IsLong ? LongFactor * Seeds : Seeds;
        // In a long run from a new place each time.
        ulong first = Simulation.IsLong ? (ulong)Random.Shared.Next() << 20 : 0;
        var (complete, reached) = Simulation.RunAll(first, count);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{complete} of {count} schedules from seed {first} ran to their end."));
        Assert.True(complete > count * 95 / 100, $"Only {complete} of {count} schedules ran to their end.");
        // What the schedules are for has to come about in many of them.
        foreach (var what in Wanted) Assert.True(reached.GetValueOrDefault(what) > count / 200, $"{what}: in {reached.GetValueOrDefault(what)} of {count} schedules only.");
    }

    [Fact]
    public void A_seed_gives_one_schedule_bit_for_bit_and_another_seed_another()
    {
        var first = Hashes();
        Assert.Equal(first, Hashes());
        Assert.Equal(first.Length, first.Distinct().Count());

        static (ulong, long)[] Hashes()
        {
            var hashes = new List<(ulong, long)>();
            Simulation.OnOwnThreads(1, () =>
            {
                for (ulong seed = 0; seed < 60; seed++)
                {
                    using var world = new World(seed);
                    world.Run();
                    hashes.Add((world.Schedule.Hash, world.Schedule.Steps));
                }
            });
            return [.. hashes];
        }
    }

    [Fact]
    public void What_escapes_to_another_thread_fails_the_schedule() => Simulation.OnOwnThreads(1, () =>
    {
        var schedule = new Schedule(1, keepsLog: false);
        var process = new SimProcess("process");
        schedule.Post(process, "hands work to another thread", 0, () => Simulation.OnOwnThreads(1, () =>
            Assert.Throws<InvalidOperationException>(() => schedule.Post(process, "elsewhere", 0, static () => { }))));
        Assert.Throws<InvalidOperationException>(() => schedule.Step());
    });
}
