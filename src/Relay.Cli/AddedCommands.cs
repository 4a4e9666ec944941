using System.CommandLine;

namespace Relay.Cli;

/// <summary>Commands that another program puts beside the product's own.</summary>
/// <param name="Commands">Belong to no tree yet.</param>
/// <param name="Examples">Shown in the help before those that are there, by command as it is typed: <c>relay keys create</c>.</param>
public sealed record AddedCommands(IReadOnlyList<Command> Commands, IReadOnlyDictionary<string, string[]> Examples)
{
    public static AddedCommands None { get; } = new([], new Dictionary<string, string[]>());
}
