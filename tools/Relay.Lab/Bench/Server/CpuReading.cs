namespace Relay.Lab.Bench.Server;

/// <summary>CPU time that each part has used so far, in microseconds; null without a database.</summary>
internal readonly record struct CpuReading(double Relay, double? Database, double Load)
{
    public static CpuReading Now(IEnumerable<int> relays, int? database) => new(
        ProcessTree.CpuMicroseconds(relays),
        database is { } d ? ProcessTree.CpuMicroseconds([d]) : null,
        Environment.CpuUsage.TotalTime.TotalMicroseconds);

    public static CpuReading operator -(CpuReading after, CpuReading before) => new(
        after.Relay - before.Relay, after.Database - before.Database, after.Load - before.Load);
}
