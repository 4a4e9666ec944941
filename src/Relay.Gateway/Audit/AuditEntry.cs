using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Relay.Gateway.Audit;

/// <summary>What an entry of the audit log says; the API describes each. Stored by name.</summary>
public enum AuditKind
{
    Begun = 1,
    Done = 2,
    Failed = 3,
    Refused = 4,
    Started = 5,
    SwitchedOff = 6,
    Trimmed = 7,
    Broken = 8,
}

/// <summary>
/// An entry of the audit log. It is stored as its text, one field a line, and the next entry contains the text's SHA-256.
/// </summary>
/// <param name="Sequence">From 1, without gaps.</param>
/// <param name="Time">To the second.</param>
/// <param name="PreviousHash">Of the entry before, hex; <see cref="NoHash"/> in the first.</param>
public sealed record AuditEntry(ulong Sequence, DateTimeOffset Time, AuditKind Kind, string PreviousHash)
{
    private const string Header = "relay audit 1";

    /// <summary>What the first entry has as the hash before it.</summary>
    public static string NoHash { get; } = new('0', 2 * SHA256.HashSizeInBytes);

    /// <summary>Who did it; empty: the server.</summary>
    public string Caller { get; init; } = "";

    /// <summary>Service and method.</summary>
    public string Method { get; init; } = "";

    /// <summary>The endpoint, subscription or API key concerned; empty if there is none.</summary>
    public string Resource { get; init; } = "";

    /// <summary>The code of the status of a failed call.</summary>
    public int Status { get; init; }

    /// <summary>The number of refusals.</summary>
    public long Count { get; init; }

    /// <summary>The sequence of another entry that this one is about; 0 if there is none.</summary>
    public ulong Refers { get; init; }

    /// <summary>The text that is stored and hashed.</summary>
    public string Text => string.Create(CultureInfo.InvariantCulture,
        $"{Header}\n{Sequence}\n{Time.ToUnixTimeSeconds()}\n{Kind}\n{Caller}\n{Method}\n{Resource}\n{Status}\n{Count}\n{Refers}\n{PreviousHash}\n");

    /// <summary>SHA-256 of <see cref="Text"/>, hex.</summary>
    public string Hash() => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Text)));

    /// <summary>Parses a stored text; null if it is none.</summary>
    public static AuditEntry? Parse(ReadOnlySpan<byte> text)
    {
        var lines = Encoding.UTF8.GetString(text).Split('\n');
        if (lines is not [Header, var sequence, var time, var kind, var caller, var method, var resource, var status, var count, var refers,
            var previous, ""]) return null;
        const NumberStyles digits = NumberStyles.None;
        var culture = CultureInfo.InvariantCulture;
        if (!ulong.TryParse(sequence, digits, culture, out ulong number) || !long.TryParse(time, digits, culture, out long seconds)
            || seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds() || !Enum.TryParse(kind, out AuditKind parsed)
            || !Enum.IsDefined(parsed) || !int.TryParse(status, digits, culture, out int code)
            || !long.TryParse(count, digits, culture, out long refusals) || !ulong.TryParse(refers, digits, culture, out ulong other))
            return null;
        var entry = new AuditEntry(number, DateTimeOffset.FromUnixTimeSeconds(seconds), parsed, previous)
        {
            Caller = caller, Method = method, Resource = resource, Status = code, Count = refusals, Refers = other,
        };
        return text.SequenceEqual(Encoding.UTF8.GetBytes(entry.Text)) ? entry : null;
    }
}
