namespace Relay.Lab.Bench.Server;

/// <summary>
/// CPU time that each part has used so far, in microseconds; null without a database. And bytes that relays and database have given to
/// the disk.
/// </summary>
internal readonly record struct CpuReading(double Relay, double? Database, double Load, double Written)
{
    public static CpuReading Now(IEnumerable<int> relays, int? database) => new(
        ProcessTree.CpuMicroseconds(relays),
        database is { } d ? ProcessTree.CpuMicroseconds([d]) : null,
        Environment.CpuUsage.TotalTime.TotalMicroseconds,
        ProcessTree.WrittenBytes(database is { } server ? [.. relays, server] : relays));

    public static CpuReading operator -(CpuReading after, CpuReading before) => new(
        after.Relay - before.Relay, after.Database - before.Database, after.Load - before.Load, after.Written - before.Written);
}
