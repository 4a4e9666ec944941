using System.Globalization;
using Google.Protobuf.WellKnownTypes;

namespace Relay.Cli;

/// <summary>Reads durations as users type them.</summary>
internal static class Durations
{
    /// <exception cref="CommandFailure">The text is not a duration.</exception>
    public static Duration Parse(string text, string option)
    {
        if (text == "0") return new Duration();
        if (text.Length > 1 && int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out int n))
        {
            TimeSpan? unit = text[^1] switch
            {
                'd' => TimeSpan.FromDays(1), 'h' => TimeSpan.FromHours(1), 'm' => TimeSpan.FromMinutes(1), 's' => TimeSpan.FromSeconds(1),
                _ => null,
            };
            if (unit is { } u && n <= TimeSpan.MaxValue / u) return Duration.FromTimeSpan(n * u);
        }
        throw new CommandFailure(ExitCode.Usage, $"{option} must have a form like 14d, 12h, 30m or 90s; 0 means never, or at once.");
    }
}
