using System.Runtime.InteropServices;

namespace Relay.Lab.Bench;

/// <summary>CPU time of the calling thread, so that neighbours on the machine count for as little as possible.</summary>
internal static partial class CpuClock
{
    private const int ThreadCpuTime = 3; // CLOCK_THREAD_CPUTIME_ID

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    /// <summary>Microseconds of CPU; of the whole process where the thread's cannot be read.</summary>
    public static double Microseconds
        => OperatingSystem.IsLinux() && GetTime(ThreadCpuTime, out var t) == 0
            ? t.Seconds * 1e6 + t.Nanoseconds / 1e3
            : Environment.CpuUsage.TotalTime.TotalMicroseconds;

    [DllImport("libc", EntryPoint = "clock_gettime")]
    private static extern int GetTime(int clock, out TimeSpec time);
}
