namespace Relay.Bench.Timing;

/// <summary>Welch's t statistic of two samples with unequal variances.</summary>
internal static class WelchTest
{
    /// <summary>(mean(a) − mean(b)) / √(var(a)/|a| + var(b)/|b|); 0 if either has fewer than two values or nothing varies.</summary>
    public static double Statistic(IReadOnlyCollection<double> a, IReadOnlyCollection<double> b)
    {
        if (a.Count < 2 || b.Count < 2) return 0;
        var (meanA, errorA) = Moments(a);
        var (meanB, errorB) = Moments(b);
        return errorA + errorB == 0 ? (meanA == meanB ? 0 : double.PositiveInfinity) : (meanA - meanB) / Math.Sqrt(errorA + errorB);
    }

    private static (double Mean, double SquaredError) Moments(IReadOnlyCollection<double> values)
    {
        double mean = 0, squares = 0;
        int n = 0;
        foreach (double value in values)
        {
            double delta = value - mean;
            mean += delta / ++n;
            squares += delta * (value - mean);
        }
        return (mean, squares / (n - 1) / n);
    }
}
