using System.CommandLine;
using Relay.Cli;

namespace Relay.Lab.Bench;

/// <summary>The switches of the benchmarks that measure rows of load.</summary>
/// <param name="rows">The names of the rows.</param>
internal sealed class LoadSwitches(IReadOnlyList<string> rows)
{
    private readonly Option<FileInfo?> _json = JsonFile();
    private readonly Option<string[]> _only = new("--only")
    {
        Description = "Measure only these rows, by name, separated by commas.",
        HelpName = "ROW,…",
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => [],
    };
    private readonly Option<double> _seconds = new("--seconds")
    {
        Description = "Duration of each measurement under load, in seconds.",
        HelpName = "S",
        DefaultValueFactory = _ => 10,
    };
    private readonly Option<int> _conversations = new("--conversations")
    {
        Description = "Number of concurrent conversations.",
        HelpName = "N",
        DefaultValueFactory = _ => 256,
    };
    private readonly Option<bool> _isShort = new("--short")
    {
        Description = "Run every row for a few seconds only, to test the benchmark itself; the figures mean nothing.",
    };

    /// <summary>An option that hides the common one of the same name, which takes no value.</summary>
    public static Option<FileInfo?> JsonFile() => new(CommonOptions.Json.Name)
    {
        Description = "Write the results to this file too, as an array of objects.",
        HelpName = "FILE",
    };

    public Command AddTo(Command command)
    {
        _only.Validators.Add(result =>
        {
            foreach (var what in Names(result.GetValueOrDefault<string[]>() ?? []).Except(rows))
                result.AddError($"There is no row '{what}': {string.Join(", ", rows)}.");
        });
        _seconds.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is not (>= 0.1 and <= 3600)) result.AddError("--seconds must be 0.1 to 3600.");
        });
        _conversations.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is not (>= 1 and <= 10_000)) result.AddError("--conversations must be 1 to 10000.");
        });
        foreach (var option in (Option[])[_json, _only, _seconds, _conversations, _isShort]) command.Options.Add(option);
        return command;
    }

    public FileInfo? Json(ParseResult result) => result.GetValue(_json);

    /// <summary>The rows to measure; empty: all.</summary>
    public IReadOnlyCollection<string> Only(ParseResult result) => [.. Names(result.GetValue(_only)!)];

    public TimeSpan Measured(ParseResult result) => TimeSpan.FromSeconds(result.GetValue(_seconds));

    public int Conversations(ParseResult result) => result.GetValue(_conversations);

    public bool IsShort(ParseResult result) => result.GetValue(_isShort);

    private static IEnumerable<string> Names(IEnumerable<string> given)
        => given.SelectMany(g => g.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
}
