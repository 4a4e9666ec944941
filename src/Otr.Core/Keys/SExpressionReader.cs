namespace Otr.Core.Keys;

/// <summary>What <see cref="SExpressionReader.Read"/> met.</summary>
internal enum SExpressionToken
{
    /// <summary>Not readable; <see cref="SExpressionReader.Problem"/> says why. Every later read says the same.</summary>
    Invalid,
    /// <summary>The input is used up.</summary>
    End,
    /// <summary>A list begins.</summary>
    Open,
    /// <summary>A list ends.</summary>
    Close,
    /// <summary>A string of bytes: <see cref="SExpressionReader.Atom"/>.</summary>
    Atom,
}

/// <summary>
/// Reads S-expressions as libgcrypt writes and takes them (Rivest's "S-Expressions", advanced form): tokens, quoted strings
/// with escapes and raw bytes, #hex#, |base64|, N:raw. One token at a time, decoded into the caller's memory: private
/// numbers leave no trace elsewhere. Lenient in tokens, which some programs write with characters that need quotes.
/// </summary>
internal ref struct SExpressionReader(ReadOnlySpan<byte> text, Span<byte> atom)
{
    private readonly ReadOnlySpan<byte> _text = text;
    private readonly Span<byte> _atom = atom;
    private int _position, _length, _depth;

    /// <summary>The last atom's bytes; overwritten by the next read.</summary>
    public readonly ReadOnlySpan<byte> Atom => _atom[.._length];

    /// <summary>Where the last token began, as an offset.</summary>
    public int Start { get; private set; }

    /// <summary>Lists open.</summary>
    public readonly int Depth => _depth;

    /// <summary>What is wrong, where; null as long as nothing is.</summary>
    public string? Problem { get; private set; }

    /// <summary>The next token.</summary>
    public SExpressionToken Read()
    {
        if (Problem is not null) return SExpressionToken.Invalid;
        _length = 0;
        while (_position < _text.Length && IsBlank(_text[_position])) _position++;
        Start = _position;
        if (_position == _text.Length) return SExpressionToken.End;
        switch (_text[_position])
        {
            case (byte)'(':
                if (_depth == LibotrFileLimits.MaxDepth) return Fail($"lists nested deeper than {LibotrFileLimits.MaxDepth}");
                _position++;
                _depth++;
                return SExpressionToken.Open;
            case (byte)')':
                if (_depth == 0) return Fail("')' without '('");
                _position++;
                _depth--;
                return SExpressionToken.Close;
            case (byte)'"':
                _position++;
                return ReadQuoted();
            case (byte)'#':
                _position++;
                return ReadHex();
            case (byte)'|':
                _position++;
                return ReadBase64();
            case >= (byte)'0' and <= (byte)'9':
                return ReadNumbered();
            default:
                return ReadToken();
        }
    }

    /// <summary>Fails at the last token, with the caller's reason.</summary>
    public SExpressionToken Fail(string reason)
    {
        Problem ??= Place + reason;
        return SExpressionToken.Invalid;
    }

    /// <summary>Where the last token is, as the beginning of a sentence.</summary>
    public readonly string Place
    {
        get
        {
            var before = _text[..Start];
            var line = before.Count((byte)'\n') + 1;
            var column = Start - (before.LastIndexOf((byte)'\n') + 1) + 1;
            return $"line {line}, column {column}: ";
        }
    }

    private SExpressionToken ReadToken()
    {
        while (_position < _text.Length && IsTokenByte(_text[_position]))
            if (!Append(_text[_position++])) return TooLong();
        return _length > 0 ? SExpressionToken.Atom : Fail("a character that has no place here");
    }

    // "N:raw"; digits with anything else behind them are a token, or the announced length of the string that follows.
    private SExpressionToken ReadNumbered()
    {
        int end = _position;
        long announced = 0;
        while (end < _text.Length && char.IsAsciiDigit((char)_text[end]))
            announced = Math.Min(announced * 10 + (_text[end++] - '0'), int.MaxValue);
        var next = end < _text.Length ? _text[end] : (byte)0;
        if (next == ':')
        {
            if (announced > LibotrFileLimits.MaxAtomBytes) return TooLong();
            if (announced > _text.Length - end - 1) return Fail("a string that is cut off");
            _length = (int)announced;
            _text.Slice(end + 1, _length).CopyTo(_atom);
            _position = end + 1 + _length;
            return SExpressionToken.Atom;
        }
        if (next is not ((byte)'"' or (byte)'#' or (byte)'|')) return ReadToken();
        _position = end + 1;
        var read = next switch { (byte)'"' => ReadQuoted(), (byte)'#' => ReadHex(), _ => ReadBase64() };
        return read == SExpressionToken.Atom && _length != announced ? Fail("a string of another length than announced") : read;
    }

    private SExpressionToken ReadQuoted()
    {
        while (_position < _text.Length)
        {
            var b = _text[_position++];
            if (b == '"') return SExpressionToken.Atom;
            if (b == '\\')
            {
                if (!TryReadEscape(out var escaped)) return Fail("a quoted string with an unknown escape");
                if (escaped is not { } value) continue;
                b = value;
            }
            if (!Append(b)) return TooLong();
        }
        return Fail("a quoted string without its end");
    }

    // Null: a line continued on the next, which stands for nothing.
    private bool TryReadEscape(out byte? value)
    {
        value = null;
        if (_position == _text.Length) return false;
        var b = _text[_position++];
        switch (b)
        {
            case (byte)'b': value = 0x08; return true;
            case (byte)'t': value = 0x09; return true;
            case (byte)'n': value = 0x0A; return true;
            case (byte)'v': value = 0x0B; return true;
            case (byte)'f': value = 0x0C; return true;
            case (byte)'r': value = 0x0D; return true;
            case (byte)'"' or (byte)'\'' or (byte)'\\': value = b; return true;
            case (byte)'\r':
                if (_position < _text.Length && _text[_position] == '\n') _position++;
                return true;
            case (byte)'\n':
                if (_position < _text.Length && _text[_position] == '\r') _position++;
                return true;
            case (byte)'x':
                if (_text.Length - _position < 2 || HexValue(_text[_position]) is not (>= 0 and var high) || HexValue(_text[_position + 1]) is not (>= 0 and var low)) return false;
                _position += 2;
                value = (byte)(high << 4 | low);
                return true;
            case >= (byte)'0' and <= (byte)'3':
                if (_text.Length - _position < 2 || !IsOctal(_text[_position]) || !IsOctal(_text[_position + 1])) return false;
                value = (byte)((b - '0') << 6 | (_text[_position] - '0') << 3 | (_text[_position + 1] - '0'));
                _position += 2;
                return true;
            default:
                return false;
        }
    }

    private SExpressionToken ReadHex()
    {
        int high = -1;
        while (_position < _text.Length)
        {
            var b = _text[_position++];
            if (IsBlank(b)) continue;
            if (b == '#') return high < 0 ? SExpressionToken.Atom : Fail("an odd number of hex digits");
            var digit = HexValue(b);
            if (digit < 0) return Fail("a character between '#' and '#' that is no hex digit");
            if (high < 0) { high = digit; continue; }
            if (!Append((byte)(high << 4 | digit))) return TooLong();
            high = -1;
        }
        return Fail("'#' without its end");
    }

    private SExpressionToken ReadBase64()
    {
        int bits = 0, count = 0, padding = 0;
        while (_position < _text.Length)
        {
            var b = _text[_position++];
            if (IsBlank(b)) continue;
            if (b == '|') return count < 6 && bits == 0 ? SExpressionToken.Atom : Fail("base64 that is cut off");
            if (b == '=' && ++padding <= 2) continue;
            var digit = Base64Value(b);
            if (digit < 0 || padding > 0) return Fail("a character between '|' and '|' that is not base64");
            bits = bits << 6 | digit;
            count += 6;
            if (count < 8) continue;
            count -= 8;
            if (!Append((byte)(bits >> count))) return TooLong();
            bits &= (1 << count) - 1;
        }
        return Fail("'|' without its end");
    }

    private bool Append(byte b)
    {
        if (_length == Math.Min(_atom.Length, LibotrFileLimits.MaxAtomBytes)) return false;
        _atom[_length++] = b;
        return true;
    }

    private SExpressionToken TooLong() => Fail($"a string longer than {LibotrFileLimits.MaxAtomBytes} bytes");

    private static bool IsBlank(byte b) => b is (byte)' ' or >= 0x09 and <= 0x0D;

    private static bool IsOctal(byte b) => b is >= (byte)'0' and <= (byte)'7';

    private static bool IsTokenByte(byte b) => b > 0x20 && b != 0x7F && "()[]{}\"#|&\\"u8.IndexOf(b) < 0;

    private static int HexValue(byte b) => b switch
    {
        >= (byte)'0' and <= (byte)'9' => b - '0',
        >= (byte)'a' and <= (byte)'f' => b - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => b - 'A' + 10,
        _ => -1,
    };

    private static int Base64Value(byte b) => b switch
    {
        >= (byte)'A' and <= (byte)'Z' => b - 'A',
        >= (byte)'a' and <= (byte)'z' => b - 'a' + 26,
        >= (byte)'0' and <= (byte)'9' => b - '0' + 52,
        (byte)'+' => 62,
        (byte)'/' => 63,
        _ => -1,
    };
}
