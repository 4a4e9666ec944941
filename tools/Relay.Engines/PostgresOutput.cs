namespace Relay.Engines;

/// <summary>Keeps the last lines of a program's output, for error messages. Thread-safe.</summary>
internal sealed class PostgresOutput(int lines)
{
    private readonly Queue<string> _lines = new();

    public void Add(string line)
    {
        lock (_lines)
        {
            if (_lines.Count == lines) _lines.Dequeue();
            _lines.Enqueue(line);
        }
    }

    /// <summary>A sentence with the kept lines, to append to an error message; it begins with a space.</summary>
    public override string ToString()
    {
        lock (_lines) return _lines.Count == 0 ? " It wrote nothing." : $" The end of its output:\n{string.Join('\n', _lines)}";
    }
}
