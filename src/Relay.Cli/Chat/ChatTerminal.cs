using System.Globalization;
using Relay.Cli.Verify;
using Spectre.Console.Rendering;

namespace Relay.Cli.Chat;

/// <summary>Where a chat's lines are typed and its output goes.</summary>
internal abstract class ChatTerminal
{
    /// <summary>The width of a terminal that does not tell it, in columns.</summary>
    private const int UnknownWidth = 80;

    /// <summary>Input and output of this process: with a line editor if both are a terminal and the output is for people.</summary>
    public static ChatTerminal Create(bool json) =>
        json || Console.IsInputRedirected || Console.IsOutputRedirected || !Report.Terminal().Profile.Capabilities.Ansi
            ? new PlainTerminal(Console.In, Console.Out, Console.IsInputRedirected ? _ => Console.In.ReadLine() : SecretPrompt.Read)
            : new EditingTerminal(() => Console.ReadKey(intercept: true), () => Console.KeyAvailable, Console.Out,
                () => Console.WindowWidth is > 0 and var columns ? columns : UnknownWidth);

    /// <summary>Blocks until a line is complete, and cannot be cancelled; null at the end of the input.</summary>
    public abstract string? ReadLine();

    /// <summary>The same for a secret, which is not shown while it is typed and not remembered.</summary>
    public abstract string? ReadSecret(string prompt);

    public abstract void WriteLine(string line);

    /// <summary>Draws the line being typed again, after the terminal's width has changed.</summary>
    public virtual void Redraw() { }

    /// <summary>Removes a line that is half typed, at the end of the chat.</summary>
    public virtual void Leave() { }
}

/// <summary>Files and pipes, and terminals that cannot move their cursor.</summary>
internal sealed class PlainTerminal(TextReader input, TextWriter output, Func<string, string?> readSecret) : ChatTerminal
{
    public override string? ReadLine() => input.ReadLine();

    public override string? ReadSecret(string prompt) => readSecret(prompt);

    public override void WriteLine(string line) => output.WriteLine(line);
}

/// <summary>
/// A line editor on the last row of a terminal. Output is written above the line that is being typed, which is drawn again below it. A
/// line longer than the row is shown in part, around the cursor. Thread-safe.
/// </summary>
/// <param name="readKey">Blocks until a key is pressed, and does not show it.</param>
/// <param name="hasKey">True if a further key has been pressed already. Of many keys, as of a text that is pasted, only the last is drawn.</param>
/// <param name="width">The terminal's width in columns.</param>
internal sealed class EditingTerminal(Func<ConsoleKeyInfo> readKey, Func<bool> hasKey, TextWriter output, Func<int> width) : ChatTerminal
{
    private const string LinePrompt = "> ";
    /// <summary>Longest line, in UTF-16 code units. Further keys are ignored.</summary>
    private const int MaxLine = 16_384;
    /// <summary>Most lines that are remembered, in memory only.</summary>
    private const int MaxHistory = 100;
    /// <summary>Moves to the first column and erases the row.</summary>
    private const string Erase = "\r\u001b[K";

    private readonly Lock _lock = new();
    private readonly List<string> _history = [];
    private string _line = "";
    /// <summary>The line that was being typed when the history was opened.</summary>
    private string _unsent = "";
    private int _shown;
    private int _cursor;
    private bool _isReading;
    private bool _isSecret;
    private string _prompt = LinePrompt;

    public override string? ReadLine() => Read(LinePrompt, isSecret: false);

    public override string? ReadSecret(string prompt) => Read(prompt, isSecret: true);

    private string? Read(string prompt, bool isSecret)
    {
        lock (_lock)
        {
            (_prompt, _isSecret, _isReading) = (prompt, isSecret, true);
            Draw();
        }
        while (true)
        {
            var key = readKey();
            lock (_lock)
            {
                if (key.Key == ConsoleKey.Enter) return Finish(_line);
                if (key is { Key: ConsoleKey.D, Modifiers: ConsoleModifiers.Control } && _line.Length == 0) return Finish(null);
                Edit(key);
                if (!hasKey()) Draw();
            }
        }
    }

    public override void WriteLine(string line)
    {
        lock (_lock)
        {
            output.Write(_isReading ? Erase + line + "\r\n" : line + "\r\n");
            if (_isReading) Draw();
            else output.Flush();
        }
    }

    public override void Redraw()
    {
        lock (_lock)
        {
            if (_isReading) Draw();
        }
    }

    public override void Leave()
    {
        lock (_lock)
        {
            if (_isReading) output.Write(Erase);
            _isReading = false;
            output.Flush();
        }
    }

    /// <summary>Leaves the line on the screen, as a terminal does, and begins an empty one.</summary>
    private string? Finish(string? line)
    {
        output.Write(line is null ? Erase : Erase + _prompt + (_isSecret ? "" : Report.Safe(line)) + "\r\n");
        output.Flush();
        _isReading = false;
        if (!_isSecret && line is { Length: > 0 } && (_history.Count == 0 || _history[^1] != line)) _history.Add(line);
        if (_history.Count > MaxHistory) _history.RemoveAt(0);
        (_line, _unsent, _cursor, _shown) = ("", "", 0, _history.Count);
        return line;
    }

    private void Edit(ConsoleKeyInfo key)
    {
        bool control = key.Modifiers.HasFlag(ConsoleModifiers.Control);
        switch (key.Key)
        {
            case ConsoleKey.Backspace: Delete(Before(), _cursor); break;
            case ConsoleKey.Delete: Delete(_cursor, After()); break;
            case ConsoleKey.D when control: Delete(_cursor, After()); break;
            case ConsoleKey.UpArrow: Recall(_shown - 1); break;
            case ConsoleKey.DownArrow: Recall(_shown + 1); break;
            case ConsoleKey.P when control: Recall(_shown - 1); break;
            case ConsoleKey.N when control: Recall(_shown + 1); break;
            case ConsoleKey.LeftArrow: _cursor = Before(); break;
            case ConsoleKey.RightArrow: _cursor = After(); break;
            case ConsoleKey.Home: _cursor = 0; break;
            case ConsoleKey.A when control: _cursor = 0; break;
            case ConsoleKey.End: _cursor = _line.Length; break;
            case ConsoleKey.E when control: _cursor = _line.Length; break;
            case ConsoleKey.U when control: Delete(0, _cursor); break;
            case ConsoleKey.K when control: Delete(_cursor, _line.Length); break;
            case ConsoleKey.W when control: Delete(WordBefore(), _cursor); break;
            default:
                if (char.IsControl(key.KeyChar) && key.KeyChar != '\t' || _line.Length >= MaxLine) break;
                _line = _line.Insert(_cursor, key.KeyChar.ToString());
                _cursor++;
                break;
        }
    }

    /// <summary>Shows a line of the history, or behind its end the one that was being typed.</summary>
    private void Recall(int index)
    {
        if (_isSecret || index < 0 || index > _history.Count || index == _shown) return;
        if (_shown == _history.Count) _unsent = _line;
        _shown = index;
        _line = index == _history.Count ? _unsent : _history[index];
        _cursor = _line.Length;
    }

    private void Delete(int from, int to)
    {
        _line = _line.Remove(from, to - from);
        _cursor = from;
    }

    /// <summary>Where the character before the cursor begins, which may have several code units.</summary>
    private int Before()
    {
        int last = 0;
        for (int i = 0; i < _cursor; i += StringInfo.GetNextTextElementLength(_line, i)) last = i;
        return last;
    }

    private int After() => _cursor == _line.Length ? _cursor : _cursor + StringInfo.GetNextTextElementLength(_line, _cursor);

    private int WordBefore()
    {
        int i = _cursor;
        while (i > 0 && char.IsWhiteSpace(_line[i - 1])) i--;
        while (i > 0 && !char.IsWhiteSpace(_line[i - 1])) i--;
        return i;
    }

    /// <summary>Draws the row again. The last column stays free, because terminals differ in what they do after writing there.</summary>
    private void Draw()
    {
        if (_isSecret)
        {
            output.Write(Erase + _prompt);
            output.Flush();
            return;
        }
        int room = Math.Max(1, width() - _prompt.Length - 1);
        var (before, after) = (Report.Safe(_line[.._cursor]), Report.Safe(_line[_cursor..]));
        var starts = StringInfo.ParseCombiningCharacters(before);
        int columns = 0, from = before.Length;
        for (int i = starts.Length - 1; i >= 0; i--)
        {
            int wide = Columns(before[starts[i]..from]);
            if (columns + wide > room) break;
            columns += wide;
            from = starts[i];
        }
        int cursor = columns;
        var shown = new System.Text.StringBuilder(before, from, before.Length - from, room);
        for (int i = 0; i < after.Length;)
        {
            int length = StringInfo.GetNextTextElementLength(after, i);
            int wide = Columns(after.Substring(i, length));
            if (columns + wide > room) break;
            shown.Append(after, i, length);
            columns += wide;
            i += length;
        }
        output.Write(Erase + _prompt + shown);
        int back = columns - cursor;
        if (back > 0) output.Write(string.Create(CultureInfo.InvariantCulture, $"\u001b[{back}D"));
        output.Flush();
    }

    private static int Columns(string text) => new Segment(text).CellCount();
}
