using System.CommandLine;
using System.Text.RegularExpressions;

namespace Relay.Cli;

/// <summary>What is said to a command line that makes no sense: what is wrong, what was perhaps meant, where the help is.</summary>
internal static class WrongUsage
{
    /// <summary>Longest edit distance at which another word may have been meant.</summary>
    private const int NearEnough = 2;

    public static int Tell(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var unknown = parsed.UnmatchedTokens.Count > 0 ? parsed.UnmatchedTokens[0] : null;
        if (unknown is null && command.Subcommands.Count > 0 && !CommonOptions.IsJson(parsed))
        {
            // Only the command's name: whoever types that wants to know what there is.
            parsed.RootCommandResult.Command.Parse([.. Examples.Name(command).Split(' ')[1..], "--help"]).Invoke(new InvocationConfiguration { Output = Console.Error });
            return ExitCode.Usage;
        }
        var message = unknown is not null ? $"There is no '{unknown}' here{Meant(command, unknown)}." : Plain(parsed.Errors[0].Message);
        return Report.Failure(CommonOptions.IsJson(parsed), new CommandFailure(ExitCode.Usage, message, $"'{Examples.Name(command)} --help' shows what there is."));
    }

    /// <summary>On one line, and without the names of our types.</summary>
    private static string Plain(string message) => Regex.Replace(Regex.Replace(message, " as expected type '[^']*'", ""), @"\s+", " ");

    private static string Meant(Command command, string unknown)
    {
        var words = command.Subcommands.Select(c => c.Name).Concat(command.Options.Where(o => !o.Hidden).Select(o => o.Name));
        var near = words.Select(w => (Word: w, Distance: Distance(w, unknown))).Where(w => w.Distance <= NearEnough).OrderBy(w => w.Distance).Select(w => w.Word).FirstOrDefault();
        return near is null ? "" : $"; '{near}' is meant perhaps";
    }

    /// <summary>Levenshtein's distance.</summary>
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
