namespace Relay.Simulation.Tests;

public sealed class ScheduleTests
{
    private static void Log(string s) => File.AppendAllText("/tmp/sim.log", s + "\n");

    [Fact]
    public void Quick() => Simulation.OnItsOwnThread(() =>
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        new Thread(() => { Thread.Sleep(8000); Log(string.Join("\n", Engine.Schedule.Last!.Log.TakeLast(60))); Log(string.Join("\n", Engine.Schedule.Last!.Waiting)); }) { IsBackground = true }.Start();
        _ = Beginning.WithSessions;
        Log($"beginning {clock.ElapsedMilliseconds}");
        long steps = 0; clock.Restart(); int n = 0;
        for (ulong seed = 1; seed <= 40; seed++)
        {
            using var world = new World(seed);
            try { world.Run(); }
            catch (Exception e)
            {
                Log($"seed {seed}: {e}\n{world.Profile}\n{string.Join('\n', world.Schedule.Log.TakeLast(40))}\nwaiting\n{string.Join('\n', world.Schedule.Waiting)}");
                if (++n > 2) throw;
            }
            Log($"{seed} {world.Schedule.Steps} {clock.ElapsedMilliseconds} {world.Schedule.NowMs}"); steps += world.Schedule.Steps;
        }
        foreach (var (k,v) in Engine.Schedule.Times.OrderByDescending(t=>t.Value.Item2).Take(20)) Log($"T {k} {v.Item1} {v.Item2/1e6:F1} ms");
        Log($"200 in {clock.ElapsedMilliseconds} ms, {steps} steps");
    });
}
