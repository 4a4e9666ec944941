using System.Globalization;
using System.Text.RegularExpressions;
using Google.Protobuf.WellKnownTypes;

namespace Relay.Cli;

/// <summary>
/// Points in time as people say and read them: "3 days ago", "in 12 h", or a date. JSON output has them in ISO 8601 instead.
/// </summary>
internal static partial class Times
{
    /// <summary>Distance from which a date says more than a number of days.</summary>
    private static readonly TimeSpan s_dateFrom = TimeSpan.FromDays(60);

    /// <summary>A time in a table: its distance from now, or its date if that is long.</summary>
    public static string Say(Timestamp? time, string ifNone = "") => time is null ? ifNone : Say(time.ToDateTimeOffset(), DateTimeOffset.UtcNow);

    /// <summary>A time in a list of fields: the time to the second, and its distance from now.</summary>
    public static string SayBoth(Timestamp? time, string ifNone = "") =>
        time is null ? ifNone : SayBoth(time.ToDateTimeOffset(), DateTimeOffset.UtcNow);

    public static string SayBoth(DateTimeOffset time, DateTimeOffset now) =>
        (now - time).Duration() < s_dateFrom ? $"{time.UtcDateTime:u} ({Say(time, now)})" : $"{time.UtcDateTime:u}";

    public static string Say(DateTimeOffset time, DateTimeOffset now)
    {
        var distance = now - time;
        if (distance.Duration() >= s_dateFrom) return time.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        if (distance.Duration() < TimeSpan.FromSeconds(1)) return "now";
        return distance > TimeSpan.Zero ? Length(distance) + " ago" : "in " + Length(-distance);
    }

    /// <summary>A length of time in its largest unit, rounded: 45 seconds, 3 hours, 12 days.</summary>
    public static string Length(TimeSpan length) => length switch
    {
        { TotalDays: >= 2 } => $"{length.TotalDays:0} days",
        { TotalHours: >= 2 } => $"{length.TotalHours:0} hours",
        { TotalMinutes: >= 2 } => $"{length.TotalMinutes:0} minutes",
        { TotalSeconds: >= 2 } => $"{length.TotalSeconds:0} seconds",
        _ => "1 second",
    };

    /// <summary>Reads a time in the past: "3 days ago", "2h", "yesterday", "now", or a date with or without a time (UTC).</summary>
    /// <exception cref="CommandFailure">The text is none of these.</exception>
    public static DateTimeOffset ParsePast(string text, string option, DateTimeOffset now) => Parse(text, now, isPast: true)
        ?? throw new CommandFailure(ExitCode.Usage,
            $"{option} must have a form like '3 days ago', 12h, yesterday, 2026-01-31 or 2026-01-31T12:00Z.");

    /// <summary>Reads a time in the future: "in 3 days", "90d", "tomorrow", or a date with or without a time (UTC).</summary>
    /// <exception cref="CommandFailure">The text is none of these.</exception>
    public static DateTimeOffset ParseFuture(string text, string option, DateTimeOffset now) => Parse(text, now, isPast: false)
        ?? throw new CommandFailure(ExitCode.Usage,
            $"{option} must have a form like 90d, 'in 12 hours', tomorrow, 2030-01-31 or 2030-01-31T12:00Z.");

    private static DateTimeOffset? Parse(string text, DateTimeOffset now, bool isPast)
    {
        switch (text.Trim().ToLowerInvariant())
        {
            case "now": return now;
            case "yesterday" when isPast: return now.AddDays(-1);
            case "tomorrow" when !isPast: return now.AddDays(1);
        }
        var match = Distance().Match(text);
        if (match.Success)
        {
            bool isOther = match.Groups[isPast ? "in" : "ago"].Success;
            if (isOther || Durations.Of(match.Groups["n"].Value, match.Groups["unit"].Value) is not { } distance) return null;
            if (distance == TimeSpan.Zero || distance > (isPast ? now - DateTimeOffset.MinValue : DateTimeOffset.MaxValue - now)) return null;
            return isPast ? now - distance : now + distance;
        }
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time : null;
    }

    [GeneratedRegex(@"^\s*(?<in>in\s+)?(?<n>\d+)\s*(?<unit>[a-z]+)(?<ago>\s+ago)?\s*$", RegexOptions.IgnoreCase)]
    private static partial Regex Distance();
}
