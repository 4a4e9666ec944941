using System.Diagnostics;
using System.Globalization;

namespace Otr.Core.Tests.Kit;

/// <summary>How long a random search may take: a time box in the suite, twenty times as long where RELAY_LONG=1 is set.</summary>
internal static class LongRuns
{
    private const int LongFactor = 20;

    public static bool IsLong => Environment.GetEnvironmentVariable("RELAY_LONG") == "1";

    /// <summary>The seed of a failure to be repeated, from RELAY_SEED; else null.</summary>
    public static int? Replay => int.TryParse(Environment.GetEnvironmentVariable("RELAY_SEED"), CultureInfo.InvariantCulture, out var seed) ? seed : null;

    /// <summary>
    /// Runs a case for one seed after the other, from 0 (in a long run from a new place each time), until the time is up;
    /// at least <paramref name="atLeast"/> of them. A failure names its seed.
    /// </summary>
    public static int Search(TimeSpan box, int atLeast, Action<int> run)
    {
        if (Replay is { } replay)
        {
            run(replay);
            return 1;
        }
        var clock = Stopwatch.StartNew();
        var first = IsLong ? Random.Shared.Next(1 << 30) : 0;
        var seed = first;
        for (; seed - first < atLeast || clock.Elapsed < (IsLong ? LongFactor * box : box); seed++)
        {
            try { run(seed); }
            catch (Exception e) { throw new InvalidOperationException($"Seed {seed} fails; repeat it with RELAY_SEED={seed}. {e.Message}", e); }
        }
        return seed - first;
    }
}
