using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Relay.Lab.Bench.Server;

/// <summary>One row of the results: its name, and its figures by name in the order in which they were added.</summary>
internal sealed class ServerRow(string what)
{
    public string What => what;

    public JsonObject Fields { get; } = new() { ["what"] = what };

    public ServerRow Add(string name, double? value, int digits = 3)
    {
        Fields[name] = value is { } v ? Math.Round(v, digits) : null;
        return this;
    }

    public ServerRow Add(string name, string value)
    {
        Fields[name] = value;
        return this;
    }

    /// <returns>Null if the row has no such figure.</returns>
    public double? Number(string name)
        => Fields[name] is { } value && value.GetValueKind() == JsonValueKind.Number ? value.GetValue<double>() : null;

    /// <summary>Adds throughput, latency under maximum load; CPU time and bytes given to the disk per message; messages a commit.</summary>
    public ServerRow AddLoad(Measurement measured) => this
        .Add("per_second", measured.PerSecond, 1)
        .Add("p50_ms", measured.Latencies.Quantile(0.5))
        .Add("p99_ms", measured.Latencies.Quantile(0.99))
        .AddCpu(measured.CpuEach)
        .Add("written_bytes", measured.CpuEach.Written, 0)
        .Add("per_commit", measured.Commits is > 0 and var commits ? measured.Latencies.Count / (double)commits : null, 1)
        .Add("messages", measured.Latencies.Count)
        .Add("seconds", measured.Took.TotalSeconds);

    private ServerRow AddCpu(CpuReading each)
    {
        Add("relay_us", each.Relay, 1).Add("database_us", each.Database, 1);
        if (each.Bridge is { } bridge) Add("bridge_us", bridge, 1);
        if (each.ChatServer is { } server) Add("chat_server_us", server, 1);
        return Add("load_us", each.Load, 1);
    }

    /// <summary>Adds the latency at a low load, where no messages queue.</summary>
    public ServerRow AddLowLoad(Measurement measured) => this
        .Add("low_load_per_second", measured.PerSecond, 1)
        .Add("low_load_p50_ms", measured.Latencies.Quantile(0.5))
        .Add("low_load_p99_ms", measured.Latencies.Quantile(0.99));

    /// <summary>Adds the machine's one-minute load average, which shows whether other programs were running.</summary>
    public ServerRow AddLoadAverage()
    {
        if (File.Exists("/proc/loadavg"))
            Add("load_average", double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture));
        return this;
    }
}

/// <summary>The latencies and the CPU time of one measurement.</summary>
/// <param name="Cpu">CPU time used during the measurement.</param>
internal sealed record Measurement(Latencies Latencies, TimeSpan Took, CpuReading Cpu)
{
    /// <summary>Transactions that PostgreSQL has committed meanwhile; null without it.</summary>
    public long? Commits { get; init; }

    public double PerSecond => Latencies.Count / Took.TotalSeconds;

    public CpuReading CpuEach => Cpu / Math.Max(1, Latencies.Count);
}
