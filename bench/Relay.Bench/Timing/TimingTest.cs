using System.Diagnostics;
using System.Security.Cryptography;

namespace Relay.Bench.Timing;

/// <summary>
/// Tests whether the time of an operation depends on its secret, by the method of Reparaz, Balasch and Verbauwhede,
/// "Dude, is my code constant time?" (2017).
///
/// Each operation runs on inputs of two classes, one fixed input and random ones, in random order, so that drifts of the machine
/// affect both classes equally. All inputs are generated beforehand and copied to one address before the clock starts. Welch's
/// t-test compares the times of the two classes, as measured and without the slowest 5, 10, 20 and 50 % (interruptions have long
/// tails); the largest |t| is used. If the classes do not differ, |t| stays below 4.5 almost certainly, for any number of samples;
/// if they do, it grows with the square root of that number. A |t| above 10 is a leak. Two controls that are known to leak must be
/// detected, otherwise the run proves nothing.
/// </summary>
internal static class TimingTest
{
    public const int DefaultSamples = 100_000;

    private const double Suspicious = 4.5, Leak = 10;

    private static readonly double[] Kept = [1, 0.95, 0.9, 0.8, 0.5];

    /// <returns>0 if only the controls leak, otherwise 1.</returns>
    public static int Run(int samples, TextWriter report)
    {
        bool sound = true;
        report.WriteLine($"kernel {Otr.Core.Crypto.Group1536.Kernel}; |t| > {Leak} is a leak, > {Suspicious} needs another run "
            + "with more samples");
        foreach (var timingCase in TimingCases.All)
        {
            int n = Math.Max(1_000, samples / timingCase.Cost);
            double t = Measure(timingCase, n, out double median);
            bool leaks = Math.Abs(t) > Leak;
            sound &= leaks == timingCase.ShouldLeak;
            string verdict = timingCase.ShouldLeak ? (leaks ? "detected, as expected" : "MISSED: this run proves nothing")
                : leaks ? "LEAKS" : Math.Abs(t) > Suspicious ? "suspicious" : "no difference";
            report.WriteLine($"{timingCase.Name,-48} {n,8} samples  median {median,9:F2} µs  max |t| {Math.Abs(t),8:F2}  {verdict}");
        }
        return sound ? 0 : 1;
    }

    private static double Measure(TimingCase timingCase, int samples, out double medianMicroseconds)
    {
        // Inputs of both classes come from one pool, so that neither the copy nor its source address distinguishes the classes.
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
