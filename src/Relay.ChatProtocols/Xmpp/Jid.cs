using System.Globalization;
using System.Text;

namespace Relay.ChatProtocols.Xmpp;

/// <summary>
/// An XMPP address (RFC 7622), normalised: servers hand a component the spelling that the sender used, so that equal addresses have to be
/// made equal here. XEP-0106 escapes stay as they are.
/// </summary>
/// <param name="Local">The part before <c>@</c>; empty if there is none.</param>
/// <param name="Domain">Lower case, in Unicode.</param>
/// <param name="Resource">The part after <c>/</c>, unchanged; empty if there is none.</param>
public readonly record struct Jid(string Local, string Domain, string Resource)
{
    // Characters that RFC 7622 does not allow in a local part.
    private const string NotLocal = "\"&'/:<>@";
    private static readonly IdnMapping s_idn = new();

    /// <summary>The address without its resource.</summary>
    public Jid Bare => this with { Resource = "" };

    public bool IsBare => Resource.Length == 0;

    /// <summary>Reads an address; false if it is none.</summary>
    public static bool TryParse(string? text, out Jid jid)
    {
        jid = default;
        if (string.IsNullOrEmpty(text) || text.Length > 3 * XmlLimits.MaxJidPartBytes + 2) return false;
        int slash = text.IndexOf('/');
        var resource = slash < 0 ? "" : text[(slash + 1)..];
        var bare = slash < 0 ? text : text[..slash];
        if (slash >= 0 && resource.Length == 0) return false;
        int at = bare.IndexOf('@');
        if (at == 0) return false;
        if (TryDomain(bare[(at + 1)..]) is not { } domain) return false;
        var local = at < 0 ? "" : Fold(bare[..at]);
        if (at >= 0 && !IsLocal(local)) return false;
        if (!Fits(resource) || resource.Any(char.IsControl)) return false;
        jid = new Jid(local, domain, resource);
        return true;
    }

    /// <summary>The normalised form of a domain; null if it is none.</summary>
    public static string? TryDomain(string text)
    {
        if (text.Length == 0 || text[0] == '[') return null;
        var lower = Fold(text.EndsWith('.') ? text[..^1] : text);
        if (lower.AsSpan().ContainsAny("@/ \"&'<>:") || lower.Any(char.IsControl)) return null;
        try
        {
            var domain = s_idn.GetUnicode(s_idn.GetAscii(lower)).ToLowerInvariant();
            return Fits(domain) ? domain : null;
        }
        catch (ArgumentException)
        {
            // An empty or too long label, or a character that no domain has.
            return null;
        }
    }

    public override string ToString()
    {
        var bare = Local.Length == 0 ? Domain : $"{Local}@{Domain}";
        return Resource.Length == 0 ? bare : $"{bare}/{Resource}";
    }

    private static bool IsLocal(string local) =>
        local.Length > 0 && Fits(local) && !local.AsSpan().ContainsAny(NotLocal)
        && !local.Any(c => char.IsControl(c) || char.IsWhiteSpace(c));

    private static bool Fits(string part) => Encoding.UTF8.GetByteCount(part) <= XmlLimits.MaxJidPartBytes;

    /// <summary>
    /// Folds case, sharp s and final sigma, and the fullwidth forms of ASCII. <see cref="string.Normalize()"/> does nothing in
    /// globalisation-invariant mode, in which Relay runs: other compatibility characters stay, as the sender's server has prepared them.
    /// </summary>
    private static string Fold(string text)
    {
        if (Ascii.IsValid(text)) return text.ToLowerInvariant();
        var folded = new StringBuilder(text.Length);
        foreach (char c in text.IsNormalized(NormalizationForm.FormKC) ? text : text.Normalize(NormalizationForm.FormKC))
        {
            if (c is '\u00df' or '\u1e9e') folded.Append("ss");
            else if (c == '\u03c2') folded.Append('\u03c3');
            else if (c is >= '\uff01' and <= '\uff5e') folded.Append(char.ToLowerInvariant((char)(c - 0xfee0)));
            else if (c is '\u3002' or '\uff61') folded.Append('.');
            else folded.Append(c);
        }
        return folded.ToString().ToLowerInvariant();
    }
}
