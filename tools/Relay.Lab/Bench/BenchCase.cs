namespace Relay.Lab.Bench;

/// <summary>One operation that is measured with every implementation that supports it.</summary>
/// <param name="What">The operation's stable name in the results.</param>
/// <param name="Count">Repetitions per round: some tens of milliseconds with the slowest implementation.</param>
/// <param name="Relay">Runs the operation the given number of times with Otr.Core.</param>
internal sealed record BenchCase(string What, int Count, Action<int> Relay)
{
    /// <summary>True if libotr's benchmark program supports the operation.</summary>
    public bool Libotr { get; init; } = true;

    /// <summary>The length of a text, for libotr's program.</summary>
    public int Bytes { get; init; }

    /// <summary>
    /// Runs the operation the given number of times with OpenSSL. Null if OpenSSL has no equivalent or is not installed.
    /// </summary>
    public Action<int>? OpenSsl { get; init; }

    /// <summary>Repetitions of Otr.Core per round, if it is much faster or slower; by default <see cref="Count"/>.</summary>
    public int RelayCount { get; init; } = Count;
}

/// <summary>Measured values, one per round, and their quantiles.</summary>
internal sealed class Samples
{
    private readonly List<double> _values = [];

    public void Add(double value) => _values.Add(value);

    public bool Any => _values.Count > 0;

    public IReadOnlyList<double> Values => _values;

    public double Median => Quantile(0.5);

    /// <summary>The value below which the given share of the values lies, interpolated.</summary>
    public double Quantile(double share)
    {
        var sorted = _values.Order().ToArray();
        var position = share * (sorted.Length - 1);
        var below = (int)position;
        return below + 1 < sorted.Length ? sorted[below] + (position - below) * (sorted[below + 1] - sorted[below]) : sorted[below];
    }
}

/// <summary>The measured values of a case.</summary>
internal sealed record BenchResult(string What, Samples Relay, Samples Libotr, Samples OpenSsl)
{
    /// <summary>Managed bytes that one repetition allocates with Otr.Core.</summary>
    public Samples Allocated { get; } = new();

    /// <summary>"us", or "bytes" for sizes.</summary>
    public string Unit { get; init; } = "us";

    /// <summary>The ratio of the other implementation's value to Otr.Core's in each round, because noise affects both in a round.</summary>
    public Samples Ratio(Samples other)
    {
        var ratios = new Samples();
        foreach (var (theirs, ours) in other.Values.Zip(Relay.Values)) ratios.Add(theirs / ours);
        return ratios;
    }
}
