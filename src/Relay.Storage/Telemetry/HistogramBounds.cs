using System.Diagnostics.Metrics;

namespace Relay.Storage.Telemetry;

/// <summary>
/// Bucket bounds of the histograms. Without advice the SDK's default bounds, which are meant for milliseconds, apply to seconds too.
/// </summary>
public static class HistogramBounds
{
    /// <summary>Half a millisecond to ten seconds.</summary>
    public static InstrumentAdvice<double> Fast { get; } =
        new() { HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] };

    /// <summary>A hundredth of a second to five minutes.</summary>
    public static InstrumentAdvice<double> Slow { get; } =
        new() { HistogramBucketBoundaries = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300] };

    /// <summary>Small numbers, by powers of two.</summary>
    public static InstrumentAdvice<int> Counts { get; } = new() { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128] };
}
