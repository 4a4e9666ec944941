namespace Relay.Engines;

/// <summary>The last lines that a program wrote.</summary>
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

    /// <summary>To be put after a sentence.</summary>
    public override string ToString()
    {
        lock (_lines) return _lines.Count == 0 ? " It wrote nothing." : $" The end of its output:\n{string.Join('\n', _lines)}";
    }
}
