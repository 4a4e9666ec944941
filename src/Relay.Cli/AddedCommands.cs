using System.CommandLine;

namespace Relay.Cli;

/// <summary>Commands that another program adds to the product's own.</summary>
/// <param name="Commands">Commands without a parent; they are added to the root.</param>
/// <param name="Examples">Examples for the help by command as typed (<c>relay keys create</c>), shown before the product's own.</param>
public sealed record AddedCommands(IReadOnlyList<Command> Commands, IReadOnlyDictionary<string, string[]> Examples)
{
    public static AddedCommands None { get; } = new([], new Dictionary<string, string[]>());
}
