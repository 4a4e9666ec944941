namespace Relay.Lab.Bench.Server;

/// <summary>CPU time that each part has used so far, in microseconds; null where a part is missing.</summary>
/// <param name="Written">Bytes that relays and database have given to the disk.</param>
/// <param name="Bridge">The bridge's process.</param>
/// <param name="ChatServer">The server of the chat network.</param>
internal readonly record struct CpuReading(
    double Relay, double? Database, double Load, double Written, double? Bridge = null, double? ChatServer = null)
{
    public static CpuReading Now(IEnumerable<int> relays, int? database) => new(
        ProcessTree.CpuMicroseconds(relays),
        database is { } d ? ProcessTree.CpuMicroseconds([d]) : null,
        Environment.CpuUsage.TotalTime.TotalMicroseconds,
        ProcessTree.WrittenBytes(database is { } server ? [.. relays, server] : relays));

    public static CpuReading operator -(CpuReading after, CpuReading before) => new(
        after.Relay - before.Relay, after.Database - before.Database, after.Load - before.Load, after.Written - before.Written,
        after.Bridge - before.Bridge, after.ChatServer - before.ChatServer);

    public static CpuReading operator /(CpuReading sum, double count) => new(
        sum.Relay / count, sum.Database / count, sum.Load / count, sum.Written / count, sum.Bridge / count, sum.ChatServer / count);
}
