using System.Globalization;

namespace Relay.Bridges.Irc;

/// <summary>A wire text on its way: its lines, how many of them have left, and what became of it.</summary>
internal sealed class SentText(string peer, WireKind kind, IReadOnlyList<string> lines)
{
    private readonly TaskCompletionSource<Carried> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The peer's id, which stays when the peer takes another nick.</summary>
    public string Peer => peer;

    public WireKind Kind => kind;

    public IReadOnlyList<string> Lines => lines;

    /// <summary>Lines that have left.</summary>
    public int Written { get; set; }

    /// <summary>Lines that the server has returned as they went out.</summary>
    public int Echoed { get; set; }

    public Task<Carried> Result => _result.Task;

    /// <summary>What became of it; null while it is on its way.</summary>
    public Carried? Outcome { get; private set; }

    public bool IsSettled => Outcome is not null;

    /// <summary>Ends the wait of the caller; only the first result counts. Called under the session's lock.</summary>
    public bool Settle(Carried result)
    {
        if (!_result.TrySetResult(result)) return false;
        Outcome = result;
        return true;
    }
}

/// <summary>What an echo of the bridge's own line shows.</summary>
internal enum EchoResult
{
    /// <summary>It belongs to no line that waits.</summary>
    Unknown,
    Whole,
    /// <summary>The server has sent on less than it was given.</summary>
    Cut,
}

/// <summary>
/// Finds out which lines the server has: those written before a PING that it answered, and those that it returned. Lines are settled in
/// the order in which they left. Not safe for concurrent use.
/// </summary>
internal sealed class Acknowledgements
{
    private const string TokenPrefix = "relay-";
    private readonly LinkedList<Line> _lines = [];
    private long _last, _pinged;

    /// <summary>A PING is under way, and its answer will settle lines.</summary>
    public bool IsPinging { get; private set; }

    /// <summary>Lines written that no PING covers yet.</summary>
    public int Uncovered => _lines.Last is { } last ? (int)Math.Max(0, last.Value.Number - _pinged) : 0;

    /// <summary>Lines that are neither answered nor returned.</summary>
    public int Count => _lines.Count;

    /// <summary>A line leaves now.</summary>
    /// <returns>Its label, for servers that repeat labels.</returns>
    public string Wrote(SentText text, string target, string line)
    {
        var label = string.Create(CultureInfo.InvariantCulture, $"r{++_last}");
        _lines.AddLast(new Line(_last, label, text, target, line, text.Written == text.Lines.Count));
        return label;
    }

    /// <summary>The token of a PING that leaves now.</summary>
    public string Ping()
    {
        IsPinging = true;
        _pinged = _last;
        return string.Create(CultureInfo.InvariantCulture, $"{TokenPrefix}{_pinged}");
    }

    /// <summary>The answer to a PING settles all lines before it. Other tokens, and answers to older PINGs, change nothing new.</summary>
    public void Pong(string token)
    {
        if (!token.StartsWith(TokenPrefix, StringComparison.Ordinal)
            || !long.TryParse(token.AsSpan(TokenPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var covered)
            || covered > _pinged)
            return;
        if (covered == _pinged) IsPinging = false;
        while (_lines.First is { } first && first.Value.Number <= covered)
        {
            if (first.Value.IsLast) first.Value.Text.Settle(Carried.Taken);
            _lines.RemoveFirst();
        }
    }

    /// <summary>The server returned a line of ours.</summary>
    public EchoResult Echo(string target, string text, string? label, CaseMapping mapping)
    {
        for (var node = _lines.First; node is not null; node = node.Next)
        {
            var line = node.Value;
            if (line.IsEchoed || (label is null ? !mapping.Equals(line.Target, target) : label != line.Label)) continue;
            node.Value = line with { IsEchoed = true };
            var (sent, came) = (line.Content.TrimEnd(' '), text.TrimEnd(' '));
            var isCut = came.Length < sent.Length && sent.StartsWith(came, StringComparison.Ordinal);
            if (isCut) line.Text.Settle(Carried.RefusedFor(Failures.TooLarge));
            else if (++line.Text.Echoed == line.Text.Lines.Count) line.Text.Settle(Carried.Taken);
            while (_lines.First is { Value.Text.IsSettled: true }) _lines.RemoveFirst();
            return isCut ? EchoResult.Cut : EchoResult.Whole;
        }
        return EchoResult.Unknown;
    }

    /// <summary>The server says that a line did not reach its target: the texts of which lines have left to it are refused.</summary>
    /// <param name="failure">One of <see cref="Failures"/>.</param>
    /// <returns>How many texts.</returns>
    public int Fail(string target, string? label, CaseMapping mapping, string failure)
    {
        var failed = 0;
        foreach (var line in _lines)
        {
            var hit = label is null ? mapping.Equals(line.Target, target) : label == line.Label;
            if (hit && line.Text.Settle(Carried.RefusedFor(failure))) failed++;
        }
        return failed;
    }

    /// <summary>The connection has ended: what is not certain is carried again after the next one.</summary>
    public void Lose()
    {
        foreach (var line in _lines) line.Text.Settle(Carried.Unknown);
        _lines.Clear();
        IsPinging = false;
    }

    private readonly record struct Line(long Number, string Label, SentText Text, string Target, string Content, bool IsLast)
    {
        public bool IsEchoed { get; init; }
    }
}
