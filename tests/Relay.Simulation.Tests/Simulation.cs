using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Text;
using Relay.Simulation.Tests.Engine;
using Relay.Simulation.Tests.Nodes;
using Relay.Simulation.Tests.Store;

namespace Relay.Simulation.Tests;

/// <summary>What is broken on purpose in a schedule.</summary>
internal readonly record struct Mutations(StoreMutation Store = default, NodeMutation Node = default);

/// <summary>Runs schedules, each on one thread.</summary>
internal static class Simulation
{
    private const int StackBytes = 16 << 20;
    private const int Threads = 2;

    public static bool IsLong => Environment.GetEnvironmentVariable("RELAY_LONG") == "1";

    /// <summary>The seed of a failure to be repeated, with its whole log, from RELAY_SIM_SEED; else null.</summary>
    public static ulong? Replay => ulong.TryParse(Environment.GetEnvironmentVariable("RELAY_SIM_SEED"), CultureInfo.InvariantCulture, out var seed) ? seed : null;

    /// <summary>Runs the schedules of many seeds; a failure says which, how it ended, and how to repeat it.</summary>
    /// <returns>How many reached their last step, and in how many each kind of event happened.</returns>
    public static (int Complete, IReadOnlyDictionary<string, int> Reached) RunAll(ulong first, int count, Func<Profile, SimRandom, Profile>? profile = null)
    {
        int next = -1, complete = 0;
        var failures = new List<string>();
        var reached = new Dictionary<string, int>();
        OnOwnThreads(Threads, () =>
        {
            for (int i = Interlocked.Increment(ref next); i < count; i = Interlocked.Increment(ref next))
            {
                ulong seed = first + (ulong)i;
                using var world = new World(seed, profile);
                if (TryRun(world) is not { } failure)
                {
                    lock (reached) foreach (var what in world.Schedule.Counts.Keys) reached[what] = reached.GetValueOrDefault(what) + 1;
                    if (!world.IsExcused) Interlocked.Increment(ref complete);
                    continue;
                }
                lock (failures) failures.Add(Describe(seed, world, failure));
                Interlocked.Exchange(ref next, count);
            }
        });
        Assert.True(failures.Count == 0, failures.FirstOrDefault());
        return (complete, reached);
    }

    /// <summary>Runs one schedule and writes all that happens in it.</summary>
    public static void RunOne(ulong seed, Action<string> write) => OnOwnThreads(1, () =>
    {
        using var world = new World(seed, keepsLog: true);
        var failure = TryRun(world);
        write($"{world.Profile}");
        foreach (var line in world.Schedule.Log) write(line);
        foreach (var line in world.Schedule.Waiting) write($"waits: {line}");
        Assert.True(failure is null, $"Seed {seed}: {failure}");
    });

    /// <summary>The first seed, among so many, in which a broken part violates an invariant; null if none does.</summary>
    public static ulong? Find(Invariant invariant, int seeds, Mutations mutations, Func<Profile, SimRandom, Profile>? profile = null, params Invariant[] unwatched)
    {
        ulong? found = null;
        OnOwnThreads(1, () =>
        {
            for (ulong seed = 1; seed <= (ulong)seeds && found is null; seed++)
            {
                using var world = new World(seed, profile, mutations, unwatched);
                if (TryRun(world) is ViolationException violation && violation.Invariant == invariant) found = seed;
            }
        });
        return found;
    }

    /// <summary>Threads without a synchronisation context: with one, continuations would go to the thread pool.</summary>
    public static void OnOwnThreads(int count, Action run)
    {
        ExceptionDispatchInfo? failure = null;
        var threads = Enumerable.Range(0, count).Select(_ => new Thread(() =>
        {
            try
            {
                run();
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(e), null);
            }
        }, StackBytes) { IsBackground = true }).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        failure?.Throw();
    }

    private static Exception? TryRun(World world)
    {
        try
        {
            world.Run();
            return null;
        }
        catch (Exception e)
        {
            // Whatever comes out of a schedule has to be told with its seed.
            return e;
        }
    }

    private static string Describe(ulong seed, World world, Exception failure)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"Seed {seed} fails; repeat it with its whole log: RELAY_SIM_SEED={seed}").AppendLine(failure.Message).AppendLine(world.Profile.ToString());
        foreach (var line in world.Schedule.Log) text.AppendLine(line);
        if (failure is not ViolationException) text.AppendLine(failure.StackTrace);
        return text.ToString();
    }
}
