using System.Globalization;

namespace Relay.Lab.Bench.Server;

/// <summary>What a process and its descendants have used, from /proc; nothing where there is no /proc.</summary>
internal static class ProcessTree
{
    // USER_HZ: the unit of times in /proc, the same on every Linux.
    private const double MicrosecondsPerTick = 1e6 / 100;

    /// <summary>Microseconds of CPU, those of children that have ended included.</summary>
    public static double CpuMicroseconds(IEnumerable<int> roots)
    {
        if (!Directory.Exists("/proc")) return 0;
        var wanted = roots.ToHashSet();
        if (wanted.Count == 0) return 0;
        var all = new Dictionary<int, (int Parent, long Ticks)>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), CultureInfo.InvariantCulture, out int id) && TryRead(id) is { } stat) all.Add(id, stat);
        }
        return all.Where(p => IsUnder(p.Key)).Sum(p => p.Value.Ticks) * MicrosecondsPerTick;

        bool IsUnder(int id)
        {
            for (; all.TryGetValue(id, out var process); id = process.Parent)
            {
                if (wanted.Contains(id)) return true;
            }
            return false;
        }
    }

    /// <summary>Bytes of memory that the process itself has in RAM.</summary>
    public static long ResidentBytes(int id)
    {
        var line = File.ReadLines($"/proc/{id}/status").FirstOrDefault(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return line is null ? 0 : 1024 * long.Parse(line["VmRSS:".Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
    }

    private static (int Parent, long Ticks)? TryRead(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            // After the name, which may hold blanks and parentheses: state, ppid, …; utime is the 14th field of all.
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (int.Parse(fields[1], CultureInfo.InvariantCulture), fields[11..15].Sum(f => long.Parse(f, CultureInfo.InvariantCulture)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It has ended since it was listed.
            return null;
        }
    }
}
