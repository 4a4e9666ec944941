namespace Relay.Lab.Bench;

/// <summary>One thing that is measured, on every implementation that can do it.</summary>
/// <param name="What">Its stable name in the results.</param>
/// <param name="Count">Repetitions in one round: some tens of milliseconds on the slowest implementation.</param>
/// <param name="Relay">Does it so many times with Otr.Core.</param>
internal sealed record BenchCase(string What, int Count, Action<int> Relay)
{
    /// <summary>libotr's benchmark program can do it, too.</summary>
    public bool Libotr { get; init; } = true;

    /// <summary>Length of a text, for libotr's side.</summary>
    public int Bytes { get; init; }

    /// <summary>Does it so many times with OpenSSL; null where there is nothing to compare, or no OpenSSL.</summary>
    public Action<int>? OpenSsl { get; init; }

    /// <summary>Repetitions of Otr.Core in one round, where it is much faster or slower; else <see cref="Count"/>.</summary>
    public int RelayCount { get; init; } = Count;
}

/// <summary>The microseconds of one implementation in every round.</summary>
internal sealed class Samples
{
    private readonly List<double> _values = [];

    public void Add(double value) => _values.Add(value);

    public bool Any => _values.Count > 0;

    public IReadOnlyList<double> Values => _values;

    /// <summary>The middle value.</summary>
    public double Median => Quantile(0.5);

    /// <summary>The value below which the given share lies, interpolated.</summary>
    public double Quantile(double share)
    {
        var sorted = _values.Order().ToArray();
        var position = share * (sorted.Length - 1);
        var below = (int)position;
        return below + 1 < sorted.Length ? sorted[below] + (position - below) * (sorted[below + 1] - sorted[below]) : sorted[below];
    }
}

/// <summary>A case and what was measured.</summary>
internal sealed record BenchResult(string What, Samples Relay, Samples Libotr, Samples OpenSsl)
{
    /// <summary>Managed bytes that one repetition of Otr.Core's allocates.</summary>
    public Samples Allocated { get; } = new();

    /// <summary>"us", or "bytes" for the memory.</summary>
    public string Unit { get; init; } = "us";

    /// <summary>How many times as much the other takes: the median of the rounds' ratios, because a round's noise hits both.</summary>
    public Samples Ratio(Samples other)
    {
        var ratios = new Samples();
        foreach (var (theirs, ours) in other.Values.Zip(Relay.Values)) ratios.Add(theirs / ours);
        return ratios;
    }
}
