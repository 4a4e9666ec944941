namespace Relay.Lab.Bench.Server;

/// <summary>
/// The ratios by which builds and machines are compared: CPU times of one run, divided by each other. Each is there if its rows were run.
/// </summary>
internal static class ServerRatios
{
    public const string What = "ratios";
    private const int OtrRounds = 5;

    /// <param name="rows">Of one run.</param>
    public static async Task<ServerRow?> MeasureAsync(
        IReadOnlyList<ServerRow> rows, Action<string> tell, CancellationToken cancellation)
    {
        var figures = rows.ToDictionary(r => r.What);
        var (embedded, storm) = (Figure("embedded-one-way", "relay_us"), Figure("ake-storm", "relay_us"));
        var (cluster, database) = (Figure("cluster-one-way", "relay_us"), Figure("cluster-one-way", "database_us"));
        if (embedded is null && storm is null && cluster is null) return null;
        tell("the OTR protocol alone");
        var measured = await OtrBench.RunAsync(OtrRounds, ["one-way", "ake"], libotr: null, static (_, _) => { }, cancellation);
        var otr = measured.ToDictionary(r => r.What, r => r.Relay.Median);
        var row = new ServerRow(What);
        Add("embedded_relay_by_otr", embedded, Otr("one-way"));
        Add("key_exchange_relay_by_otr", storm, Otr("ake"));
        Add("cluster_by_embedded_relay", cluster + database, embedded);
        Add("cluster_database_by_embedded_relay", database, embedded);
        if (Figure("cluster-one-way", "per_commit") is { } perCommit) row.Add("messages_a_commit", perCommit);
        if (Figure("resident", "bytes_each") is { } resident) row.Add("resident_bytes", resident, 0);
        Add("cluster_by_embedded_per_second", Figure("cluster-one-way", "per_second"), Figure("embedded-one-way", "per_second"));
        return row;

        double? Figure(string what, string field) => figures.TryGetValue(what, out var found) ? found.Number(field) : null;

        double? Otr(string what) => otr.TryGetValue(what, out double median) ? median : null;

        void Add(string name, double? above, double? below)
        {
            if (above is { } a && below is > 0 and var b) row.Add(name, a / b);
        }
    }
}
