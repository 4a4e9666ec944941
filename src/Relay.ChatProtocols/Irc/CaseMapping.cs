using System.Text;

namespace Relay.ChatProtocols.Irc;

/// <summary>How a server compares names: CASEMAPPING of 005. Without the token it is rfc1459.</summary>
public sealed class CaseMapping : IEqualityComparer<string>
{
    public static readonly CaseMapping Ascii = new("ascii", brackets: false, tilde: false);
    /// <summary>The braces, the bar and the caret are the lower case of the brackets, the backslash and the tilde.</summary>
    public static readonly CaseMapping Rfc1459 = new("rfc1459", brackets: true, tilde: true);
    /// <summary>As <see cref="Rfc1459"/>, but tilde and caret are different characters.</summary>
    public static readonly CaseMapping StrictRfc1459 = new("strict-rfc1459", brackets: true, tilde: false);

    private readonly bool _brackets, _tilde;

    private CaseMapping(string name, bool brackets, bool tilde)
    {
        Name = name;
        (_brackets, _tilde) = (brackets, tilde);
    }

    public string Name { get; }

    /// <summary>The mapping of this name. An unknown one (rfc7613, say) is treated as ascii: names that differ are kept apart.</summary>
    public static CaseMapping Named(string? name) => name?.ToLowerInvariant() switch
    {
        null or "" or "rfc1459" => Rfc1459,
        "strict-rfc1459" => StrictRfc1459,
        _ => Ascii,
    };

    /// <summary>The lower case form, which is equal for equal names.</summary>
    public string Fold(string name)
    {
        var folded = new StringBuilder(name.Length);
        foreach (var c in name) folded.Append(Lower(c));
        return folded.ToString();
    }

    public bool Equals(string? x, string? y)
    {
        if (x is null || y is null) return x == y;
        if (x.Length != y.Length) return false;
        for (var i = 0; i < x.Length; i++)
        {
            if (Lower(x[i]) != Lower(y[i])) return false;
        }
        return true;
    }

    public int GetHashCode(string name)
    {
        var hash = new HashCode();
        foreach (var c in name) hash.Add(Lower(c));
        return hash.ToHashCode();
    }

    private char Lower(char c) => c switch
    {
        >= 'A' and <= 'Z' => (char)(c + 32),
        '[' or '\\' or ']' when _brackets => (char)(c + 32),
        '~' when _tilde => '^',
        _ => c,
    };
}
