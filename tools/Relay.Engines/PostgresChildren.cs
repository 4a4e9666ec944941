using System.Globalization;

namespace Relay.Engines;

/// <summary>The processes of a server's sessions, as Linux shows them.</summary>
internal static class PostgresChildren
{
    /// <summary>The process ids of those that a postmaster started.</summary>
    public static List<int> Of(int id)
    {
        var children = new List<int>();
        foreach (var folder in Directory.GetDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int child) && Stat(child) is { } stat && stat.Parent == id) children.Add(child);
        }
        return children;
    }

    /// <summary>Waits for the end of one that has been sent SIGKILL.</summary>
    public static async Task UntilGoneAsync(int id, CancellationToken cancellation)
    {
        // Not our children, so nothing tells of their end; they have been sent SIGKILL, and it takes a moment.
        while (Stat(id) is { State: not 'Z' }) await Task.Delay(5, cancellation).ConfigureAwait(false);
    }

    /// <summary>Null when there is no such process any more.</summary>
    private static (char State, int Parent)? Stat(int id)
    {
        try
        {
            // "id (name) state parent …", and the name may hold anything.
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
