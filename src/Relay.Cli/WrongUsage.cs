using System.CommandLine;
using System.Text.RegularExpressions;

namespace Relay.Cli;

/// <summary>Reports a command line that cannot be parsed: the error, a suggestion for a misspelt word, and the command for help.</summary>
internal static class WrongUsage
{
    /// <summary>Largest edit distance at which another word is suggested.</summary>
    private const int MaxDistance = 2;

    public static int Tell(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var unknown = parsed.UnmatchedTokens.Count > 0 ? parsed.UnmatchedTokens[0] : null;
        if (unknown is null && command.Subcommands.Count > 0 && !CommonOptions.IsJson(parsed))
        {
            // A group of commands without a subcommand: print its help.
            parsed.RootCommandResult.Command.Parse([.. Examples.Name(command).Split(' ')[1..], "--help"])
                .Invoke(new InvocationConfiguration { Output = Console.Error });
            return ExitCode.Usage;
        }
        var message = unknown is not null
            ? $"Unknown command, option or argument '{unknown}'{Suggestion(command, unknown)}"
            : Plain(parsed.Errors[0].Message);
        return Report.Failure(CommonOptions.IsJson(parsed),
            new CommandFailure(ExitCode.Usage, message, $"'{Examples.Name(command)} --help' shows the usage."));
    }

    /// <summary>Puts a parser's message on one line, without names of .NET types.</summary>
    public static string Plain(string message) => Regex.Replace(Regex.Replace(message, " as expected type '[^']*'", ""), @"\s+", " ");

    private static string Suggestion(Command command, string unknown)
    {
        var words = command.Subcommands.Select(c => c.Name).Concat(command.Options.Where(o => !o.Hidden).Select(o => o.Name));
        var near = words.Select(w => (Word: w, Distance: Distance(w, unknown))).Where(w => w.Distance <= MaxDistance)
            .OrderBy(w => w.Distance).Select(w => w.Word).FirstOrDefault();
        return near is null ? "." : $"; did you mean '{near}'?";
    }

    /// <summary>The Levenshtein distance of two words.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int above = row[j];
                row[j] = Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[b.Length];
    }
}
