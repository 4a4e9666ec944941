using System.Runtime.InteropServices;

namespace Relay.Lab.Bench;

/// <summary>Runs the cases in rounds; every round measures all implementations in turn.</summary>
internal static class OtrBench
{
    private const int MemoryConversations = 200;

    /// <summary>CPU time of a case before its measurement, in which the JIT compiler optimises the hot code.</summary>
    private const double WarmUpMicroseconds = 300_000;

    /// <param name="only">The cases to run; empty: all.</param>
    /// <param name="progress">Called before every step with its name and the share of completed steps.</param>
    public static async Task<IReadOnlyList<BenchResult>> RunAsync(int rounds, IReadOnlyCollection<string> only, LibotrBench? libotr,
        Action<string, double> progress, CancellationToken cancellation)
    {
        using var all = new OtrBenchCases();
        var cases = all.All().Where(c => only.Count == 0 || only.Contains(c.What)).ToList();
        var results = cases.ConvertAll(c => new BenchResult(c.What, new(), new(), new()));
        var withMemory = only.Count == 0 || only.Contains("memory");
        double steps = cases.Count * (rounds + 1) + 1, done = 0;

        foreach (var c in cases)
        {
            progress($"warming up {c.What}", done++ / steps);
            await Task.Run(() => WarmUp(c), cancellation);
        }
        for (var round = 0; round < rounds; round++)
        {
            foreach (var (c, result) in cases.Zip(results))
            {
                progress($"{c.What}, round {round + 1} of {rounds}", done++ / steps);
                result.Relay.Add(await Task.Run(() => Time(c.Relay, c.RelayCount, result.Allocated), cancellation));
                if (libotr is not null && c.Libotr)
                    result.Libotr.Add(await libotr.MicrosecondsAsync(c.What, c.Count, c.Bytes, cancellation));
                if (c.OpenSsl is { } openSsl) result.OpenSsl.Add(await Task.Run(() => Time(openSsl, c.Count), cancellation));
            }
        }
        if (withMemory)
        {
            progress("memory", done / steps);
            var memory = new BenchResult("memory", new(), new(), new()) { Unit = "bytes" };
            memory.Relay.Add(all.Memory(MemoryConversations));
            if (libotr is not null) memory.Libotr.Add(await libotr.MemoryAsync(MemoryConversations, cancellation));
            results.Add(memory);
        }
        if (only.Count == 0 || only.Contains("snapshot"))
        {
            var size = new BenchResult("snapshot-size", new(), new(), new()) { Unit = "bytes" };
            size.Relay.Add(all.SnapshotBytes());
            results.Add(size);
        }
        return results;
    }

    private static double Time(Action<int> run, int count, Samples? allocated = null)
    {
        var bytes = GC.GetAllocatedBytesForCurrentThread();
        var start = CpuClock.Microseconds;
        run(count);
        var spent = CpuClock.Microseconds - start;
        allocated?.Add((GC.GetAllocatedBytesForCurrentThread() - bytes) / (double)count);
        return spent / count;
    }

    private static void WarmUp(BenchCase c)
    {
        var start = CpuClock.Microseconds;
        do c.Relay(c.RelayCount);
        while (CpuClock.Microseconds - start < WarmUpMicroseconds);
        c.OpenSsl?.Invoke(c.Count);
    }
}

/// <summary>Reads the CPU time of the calling thread, on which other load of the machine has the least influence.</summary>
internal static partial class CpuClock
{
    private const int ThreadCpuTime = 3; // CLOCK_THREAD_CPUTIME_ID

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    /// <summary>CPU time in microseconds; that of the whole process where the thread's is not available.</summary>
    public static double Microseconds
        => OperatingSystem.IsLinux() && GetTime(ThreadCpuTime, out var t) == 0
            ? t.Seconds * 1e6 + t.Nanoseconds / 1e3
            : Environment.CpuUsage.TotalTime.TotalMicroseconds;

    [DllImport("libc", EntryPoint = "clock_gettime")]
    private static extern int GetTime(int clock, out TimeSpec time);
}
