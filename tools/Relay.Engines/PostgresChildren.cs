using System.Globalization;

namespace Relay.Engines;

/// <summary>Finds the child processes of a postmaster in Linux's /proc.</summary>
internal static class PostgresChildren
{
    /// <summary>The process ids of a postmaster's children.</summary>
    public static List<int> Of(int id)
    {
        var children = new List<int>();
        foreach (var folder in Directory.GetDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int child)
                && Stat(child) is { } stat && stat.Parent == id)
            {
                children.Add(child);
            }
        }
        return children;
    }

    /// <summary>Waits until a process that was sent SIGKILL has ended.</summary>
    public static async Task UntilGoneAsync(int id, CancellationToken cancellation)
    {
        // Polled, because only a parent is notified of the end of a process, and these are not our children.
        while (Stat(id) is { State: not 'Z' }) await Task.Delay(5, cancellation).ConfigureAwait(false);
    }

    /// <summary>Null if there is no such process.</summary>
    private static (char State, int Parent)? Stat(int id)
    {
        try
        {
            // "id (name) state parent …"; the name may contain spaces and parentheses.
            var text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/stat"));
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return (fields[0][0], int.Parse(fields[1], CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
