using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
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
        var unknown = Unknown(parsed);
        if (unknown is null && command.Subcommands.Count > 0 && !CommonOptions.IsJson(parsed))
        {
            // A group of commands without a subcommand: print its help.
            parsed.RootCommandResult.Command.Parse([.. Examples.Name(command).Split(' ')[1..], "--help"])
                .Invoke(new InvocationConfiguration { Output = Console.Error });
            return ExitCode.Usage;
        }
        return Report.Failure(CommonOptions.IsJson(parsed),
            new CommandFailure(ExitCode.Usage, Describe(parsed), $"'{Examples.Name(command)} --help' shows the usage."));
    }

    /// <summary>What is wrong with a command line that could not be parsed.</summary>
    public static string Describe(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var unknown = Unknown(parsed);
        return unknown is not null && BeforeUnknown(parsed, unknown) is { } before ? $"'{before}' must be true or false, not '{unknown}'."
            : unknown is not null
            ? $"Unknown command, option or argument '{unknown}'{Suggestion(command, unknown)}"
            : Message(parsed.Errors[0]);
    }

    private static string? Unknown(ParseResult parsed) => parsed.UnmatchedTokens.Count > 0 ? parsed.UnmatchedTokens[0] : SwitchAsArgument(parsed);

    /// <summary>
    /// A word that looks like a switch, but is none of the command and would be taken as an argument: as a text for the peer, say. Words after
    /// <c>--</c> are arguments whatever they look like. Null if there is none.
    /// </summary>
    public static string? SwitchAsArgument(ParseResult parsed)
    {
        var words = parsed.Tokens.TakeWhile(t => t.Type != TokenType.DoubleDash).ToHashSet();
        return parsed.CommandResult.Tokens.FirstOrDefault(t => t.Value.StartsWith("--", StringComparison.Ordinal) && words.Contains(t))?.Value;
    }

    /// <summary>The switch for true or false that an unknown word follows, whose value it is meant to be; null if there is none.</summary>
    private static string? BeforeUnknown(ParseResult parsed, string unknown)
    {
        var words = parsed.Tokens.Select(t => t.Value).ToList();
        int at = words.IndexOf(unknown);
        return at > 0 && parsed.CommandResult.Command.Options.Any(o => o.Name == words[at - 1] && o.HelpName == "true|false")
            ? words[at - 1] : null;
    }

    /// <summary>What is wrong with the command line, with the switch and the values that it takes.</summary>
    private static string Message(ParseError error)
    {
        var option = error.SymbolResult switch
        {
            OptionResult result => result,
            ArgumentResult { Parent: OptionResult result } => result,
            _ => null,
        };
        if (option is not null) return Message(option, error);
        if (error.SymbolResult is ArgumentResult { Tokens.Count: > 0 } argument && Allowed(argument.Argument, argument.Argument.ValueType) is { } allowed)
            return $"{argument.Argument.Name} must be {allowed}, not '{argument.Tokens[0].Value}'.";
        return error.SymbolResult is ArgumentResult { Tokens.Count: 0 } missing
            ? $"{missing.Argument.Name} is missing: {missing.Argument.Description}"
            : Plain(error.Message);
    }

    private static string Message(OptionResult given, ParseError error)
    {
        var option = given.Option;
        var form = Allowed(option, option.ValueType) ?? option.HelpName;
        if (given.Implicit || given.IdentifierToken is null) return $"'{option.Name}' is missing: {option.Description}";
        if (given.Tokens.Count == 0) return $"'{option.Name}' needs a value{(form is null ? "" : ": " + form)}.";
        var value = given.Tokens[^1].Value;
        return form is null || given.Tokens.Count > 1 && option.Arity.MaximumNumberOfValues == 1
            ? $"'{option.Name}': {Plain(error.Message)}" : $"'{option.Name}' must be {form}, not '{value}'.";
    }

    /// <summary>The values that an option or an argument takes, in words; null if they cannot be listed.</summary>
    private static string? Allowed(Symbol symbol, Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        var values = symbol.GetCompletions(CompletionContext.Empty).Select(c => c.Label).ToList();
        if (values.Count > 0)
            return values.Count == 1 ? values[0] : $"{string.Join(", ", values.SkipLast(1))} or {values[^1]}";
        if (type == typeof(bool)) return "true or false";
        return type == typeof(int) || type == typeof(uint) || type == typeof(ulong) || type == typeof(long) ? "a whole number"
            : type == typeof(double) ? "a number" : null;
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
