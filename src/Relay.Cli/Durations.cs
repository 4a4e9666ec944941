using System.Globalization;
using System.Text.RegularExpressions;
using Google.Protobuf.WellKnownTypes;

namespace Relay.Cli;

/// <summary>Reads durations as users type them.</summary>
internal static partial class Durations
{
    /// <exception cref="CommandFailure">The text is not a duration.</exception>
    public static Duration Parse(string text, string option)
    {
        if (text == "0") return new Duration();
        var match = Form().Match(text);
        return match.Success && Of(match.Groups[1].Value, match.Groups[2].Value) is { } duration
            ? Duration.FromTimeSpan(duration)
            : throw new CommandFailure(
                ExitCode.Usage, $"{option} must have a form like 14d, 12h, 30m, 90s or '2 weeks'; 0 means never, or at once.");
    }

    /// <summary>The duration of a number and a unit; null if there is no such unit, or it is too long.</summary>
    public static TimeSpan? Of(string number, string unit)
    {
        TimeSpan? one = unit.ToLowerInvariant() switch
        {
            "w" or "week" or "weeks" => TimeSpan.FromDays(7),
            "d" or "day" or "days" => TimeSpan.FromDays(1),
            "h" or "hour" or "hours" => TimeSpan.FromHours(1),
            "m" or "min" or "minute" or "minutes" => TimeSpan.FromMinutes(1),
            "s" or "sec" or "second" or "seconds" => TimeSpan.FromSeconds(1),
            _ => null,
        };
        return one is { } u && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n <= TimeSpan.MaxValue / u
            ? n * u : null;
    }

    [GeneratedRegex(@"^\s*(\d+)\s*([a-zA-Z]+)\s*$")]
    private static partial Regex Form();
}
