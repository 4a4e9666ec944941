using System.Diagnostics;
using System.Security.Cryptography;

namespace Relay.Bench.Timing;

/// <summary>
/// Whether the time of an operation depends on its secret, after Reparaz, Balasch and Verbauwhede, "Dude, is my code constant time?" (2017).
///
/// Each operation runs on inputs of two classes, one fixed input and random ones, in an order decided by coin tosses, so that drifts of the machine hit
/// both alike. All inputs are made beforehand and copied to one place before the clock starts. Welch's t-test compares the two classes'
/// times, as measured and with the slowest 5, 10, 20 and 50 % cut off (interruptions have long tails); the largest |t| counts. If the classes do not
/// differ, |t| stays below 4.5 with near certainty at any number of samples; if they do, it grows with the square root of that number. Beyond 10 is a
/// leak. Two controls that are known to leak must be found, else the run says nothing.
/// </summary>
internal static class TimingTest
{
    public const int DefaultSamples = 100_000;

    private const double Suspicious = 4.5, Leak = 10;

    private static readonly double[] Kept = [1, 0.95, 0.9, 0.8, 0.5];

    /// <returns>0 if nothing leaks and the controls do, else 1.</returns>
    public static int Run(int samples, TextWriter report)
    {
        bool sound = true;
        report.WriteLine($"kernel {Otr.Core.Crypto.Group1536.Kernel}; |t| > {Leak} is a leak, > {Suspicious} deserves another run with more samples");
        foreach (var timingCase in TimingCases.All)
        {
            int n = Math.Max(1_000, samples / timingCase.Cost);
            double t = Measure(timingCase, n, out double median);
            bool leaks = Math.Abs(t) > Leak;
            sound &= leaks == timingCase.ShouldLeak;
            string verdict = timingCase.ShouldLeak ? (leaks ? "found, as it must be" : "MISSED: this run says nothing")
                : leaks ? "LEAKS" : Math.Abs(t) > Suspicious ? "suspicious" : "no difference";
            report.WriteLine($"{timingCase.Name,-48} {n,8} samples  median {median,9:F2} µs  max |t| {Math.Abs(t),8:F2}  {verdict}");
        }
        return sound ? 0 : 1;
    }

    private static double Measure(TimingCase timingCase, int samples, out double medianMicroseconds)
    {
        // A pool of inputs of both classes, all in memory of their own: what is copied, and from where, does not tell the classes apart.
        const int Pool = 512;
        var inputs = new byte[Pool][];
        var isFixed = new bool[Pool];
        for (int i = 0; i < Pool; i++)
        {
            inputs[i] = new byte[timingCase.InputLength];
            isFixed[i] = RandomNumberGenerator.GetInt32(2) == 0;
            (isFixed[i] ? timingCase.Fixed : timingCase.Random)(inputs[i]);
        }
        var input = new byte[timingCase.InputLength];
        for (int i = 0; i < 200; i++)
        {
            inputs[i].CopyTo(input, 0);
            timingCase.Operation(input);
        }

        var times = new (double Time, bool Fixed)[samples];
        for (int i = 0; i < samples; i++)
        {
            int choice = RandomNumberGenerator.GetInt32(Pool);
            inputs[choice].CopyTo(input, 0);
            long start = Stopwatch.GetTimestamp();
            timingCase.Operation(input);
            times[i] = (Stopwatch.GetTimestamp() - start, isFixed[choice]);
        }

        var sorted = times.Select(s => s.Time).Order().ToArray();
        medianMicroseconds = sorted[samples / 2] * 1e6 / Stopwatch.Frequency;
        double worst = 0;
        foreach (double kept in Kept)
        {
            double limit = sorted[(int)((samples - 1) * kept)];
            var below = times.Where(s => s.Time <= limit).ToLookup(s => s.Fixed, s => s.Time);
            double t = WelchTest.Statistic(below[true].ToArray(), below[false].ToArray());
            if (Math.Abs(t) > Math.Abs(worst)) worst = t;
        }
        return worst;
    }
}
