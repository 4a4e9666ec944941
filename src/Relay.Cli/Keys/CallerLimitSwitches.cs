using System.CommandLine;
using Relay.V1;

namespace Relay.Cli.Keys;

/// <summary>The switches for the limits of a key, of <c>relay keys create</c> and <c>relay keys update</c>.</summary>
internal sealed class CallerLimitSwitches
{
    private readonly (Option<int?> Option, string Field, Action<CallerLimits, int> Set)[] _all;

    /// <param name="ending">What the description of each ends with.</param>
    public CallerLimitSwitches(string ending)
    {
        Option<int?> Limit(string name, string of) => new(name) { Description = $"Most {of}. {ending}", HelpName = "NUMBER" };
        _all =
        [
            (Limit("--calls-per-second", "calls a second"), "calls_per_second", (l, n) => l.CallsPerSecond = n),
            (Limit("--calls-per-second-and-endpoint", "calls a second for one endpoint"), "calls_per_second_and_endpoint",
                (l, n) => l.CallsPerSecondAndEndpoint = n),
            (Limit("--streams", "open streams"), "streams", (l, n) => l.Streams = n),
            (Limit("--endpoints-per-day", "endpoints created in a day"), "endpoints_per_day", (l, n) => l.EndpointsPerDay = n),
        ];
    }

    public void AddTo(Command command)
    {
        foreach (var (option, _, _) in _all) command.Add(option);
    }

    /// <summary>The limits that were given; null: none. Their fields are added to the list.</summary>
    public CallerLimits? Read(ParseResult parsed, ICollection<string>? fields = null)
    {
        CallerLimits? limits = null;
        foreach (var (option, field, set) in _all)
        {
            if (parsed.GetValue(option) is not { } limit) continue;
            set(limits ??= new CallerLimits(), limit);
            fields?.Add("limits." + field);
        }
        return limits;
    }
}
