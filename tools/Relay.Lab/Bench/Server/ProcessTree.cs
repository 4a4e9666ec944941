using System.Globalization;

namespace Relay.Lab.Bench.Server;

/// <summary>Reads CPU time and memory of processes from /proc.</summary>
internal static class ProcessTree
{
    // USER_HZ, the unit of times in /proc, is 100 on every Linux.
    private const double MicrosecondsPerTick = 1e6 / 100;

    /// <summary>
    /// CPU time of the processes and all their descendants, including ended children, in microseconds; 0 where there is no /proc.
    /// </summary>
    public static double CpuMicroseconds(IEnumerable<int> roots) => Under(roots).Values.Sum() * MicrosecondsPerTick;

    /// <returns>The ticks of the processes and all their descendants, by process id.</returns>
    private static Dictionary<int, long> Under(IEnumerable<int> roots)
    {
        var wanted = roots.ToHashSet();
        if (!Directory.Exists("/proc") || wanted.Count == 0) return [];
        var all = new Dictionary<int, (int Parent, long Ticks)>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), CultureInfo.InvariantCulture, out int id) && TryRead(id) is { } stat)
                all.Add(id, stat);
        }
        return all.Where(p => IsUnder(p.Key)).ToDictionary(p => p.Key, p => p.Value.Ticks);

        bool IsUnder(int id)
        {
            for (; all.TryGetValue(id, out var process); id = process.Parent)
            {
                if (wanted.Contains(id)) return true;
            }
            return false;
        }
    }

    /// <summary>Bytes that the processes and all their living descendants have given to the disk; 0 where there is no /proc.</summary>
    public static double WrittenBytes(IEnumerable<int> roots) => Under(roots).Keys.Sum(WrittenBytes);

    private static double WrittenBytes(int id)
    {
        const string Name = "write_bytes:";
        try
        {
            var line = File.ReadLines($"/proc/{id}/io").First(l => l.StartsWith(Name, StringComparison.Ordinal));
            return long.Parse(line[Name.Length..], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    /// <summary>The resident set size of the process without its children, in bytes.</summary>
    public static long ResidentBytes(int id)
    {
        var line = File.ReadLines($"/proc/{id}/status").FirstOrDefault(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return line is null ? 0
            : 1024 * long.Parse(line["VmRSS:".Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
    }

    private static (int Parent, long Ticks)? TryRead(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            // The name may contain spaces and parentheses; state, ppid, … follow it. utime is field 14 of the line.
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (int.Parse(fields[1], CultureInfo.InvariantCulture),
                fields[11..15].Sum(f => long.Parse(f, CultureInfo.InvariantCulture)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It has ended since it was listed.
            return null;
        }
    }
}
