using System.Text;

namespace Relay.Gateway.Tests.Harness;

/// <summary>Looks for marked values in bytes, in every form in which they might have slipped out.</summary>
public sealed class Marks
{
    private readonly List<(string What, byte[] Bytes)> _forms = [];

    public void AddText(string what, string text)
    {
        AddBytes(what, Encoding.UTF8.GetBytes(text));
        _forms.Add(($"{what}, UTF-16", Encoding.Unicode.GetBytes(text)));
    }

    /// <summary>As they are, as hex, and as base64 at each of its three alignments.</summary>
    public void AddBytes(string what, byte[] bytes)
    {
        _forms.Add((what, bytes));
        _forms.Add(($"{what}, hex", Encoding.ASCII.GetBytes(Convert.ToHexStringLower(bytes))));
        _forms.Add(($"{what}, HEX", Encoding.ASCII.GetBytes(Convert.ToHexString(bytes))));
        for (int shift = 0; shift < 3; shift++)
        {
            // Only the characters that depend on nothing before or after the value.
            var encoded = Convert.ToBase64String([.. new byte[shift], .. bytes]);
            int first = shift == 0 ? 0 : 4, last = (shift + bytes.Length) / 3 * 4;
            var middle = encoded[first..last];
            _forms.Add(($"{what}, base64 at {shift}", Encoding.ASCII.GetBytes(middle)));
            _forms.Add(($"{what}, base64url at {shift}", Encoding.ASCII.GetBytes(middle.Replace('+', '-').Replace('/', '_'))));
        }
    }

    /// <summary>Which marks are in the bytes.</summary>
    public IReadOnlyList<string> FindIn(ReadOnlySpan<byte> bytes)
    {
        var found = new List<string>();
        foreach (var (what, form) in _forms)
        {
            if (bytes.IndexOf(form) >= 0) found.Add(what);
        }
        return found;
    }
}
