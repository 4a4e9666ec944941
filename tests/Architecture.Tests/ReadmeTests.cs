using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using Relay.Cli;
using Relay.Lab;

namespace Architecture.Tests;

/// <summary>What a reader may copy is true: the examples are the programs, and every command line is one that exists.</summary>
public sealed partial class ReadmeTests
{
    [Fact]
    public void The_bot_in_the_README_is_the_example()
    {
        var shown = Block("README.md", "csharp");
        var program = File.ReadAllLines(Path.Combine(Repository.Root, "examples/echo-bot-csharp/Program.cs")).Where(l => !l.StartsWith("//", StringComparison.Ordinal));
        Assert.Equal(Words(string.Join('\n', program)), Words(shown));
    }

    /// <summary>The statements stand in a test, which compiles and runs them; what differs there is where the text goes to and comes from.</summary>
    [Fact]
    public void The_example_of_Otr_Core_is_the_one_that_is_tested()
    {
        var tested = Words(File.ReadAllText(Path.Combine(Repository.Root, "tests/Otr.Core.Tests/ReadmeExample.cs")));
        foreach (var line in Block("src/Otr.Core/README.md", "csharp").Split('\n').Select(Words).Where(l => l.Length > 0)) Assert.Contains(line, tested, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("README.md", 7)]
    [InlineData("bench/README.md", 1)]
    [InlineData("docs/bridges.md", 5)]
    [InlineData("docs/operators.md", 3)]
    [InlineData("docs/proxy.md", 1)]
    [InlineData("examples/bridge/README.md", 1)]
    [InlineData("examples/echo-bot-csharp/README.md", 3)]
    public void Commands_in_the_documentation_exist(string file, int atLeast)
    {
        // A command may go on in the next line.
        var text = File.ReadAllText(Path.Combine(Repository.Root, file)).Replace(" \\\n", " ", StringComparison.Ordinal);
        var lines = Command().Matches(text).Select(m => m.Groups[1].Value).ToList();
        Assert.True(lines.Count >= atLeast, $"{file} has {lines.Count} commands.");
        Assert.All(lines, l => AssertParses(Checkout(), l));
    }

    [Fact]
    public void Every_command_of_the_product_teaches_by_examples_that_exist() => AssertTeaches(RelayCommand.Create, RelayCommand.Create(), []);

    [Fact]
    public void Every_command_of_a_checkout_teaches_by_examples_that_exist() => AssertTeaches(Checkout, Checkout(), []);

    /// <summary>What <c>./relay</c> runs, here and in the documentation.</summary>
    private static RootCommand Checkout() => RelayCommand.Create(LabCommands.Create());

    private static void AssertTeaches(Func<RootCommand> create, Command command, string[] path)
    {
        var output = new StringWriter();
        create().Parse([.. path, "--help"]).Invoke(new InvocationConfiguration { Output = output });
        var help = output.ToString();
        Assert.Contains("Examples:", help, StringComparison.Ordinal);
        Assert.Single(Regex.Matches(help, @"^  (-j, )?--json\b", RegexOptions.Multiline));
        var examples = help[help.IndexOf("Examples:", StringComparison.Ordinal)..].Split('\n').Select(l => Example().Match(Remark().Replace(l.Trim(), ""))).Where(m => m.Success).Select(m => m.Groups[1].Value).ToList();
        Assert.NotEmpty(examples);
        Assert.All(examples, e => AssertParses(create(), e));
        foreach (var below in command.Subcommands) AssertTeaches(create, below, [.. path, below.Name]);
    }

    private static void AssertParses(RootCommand root, string line)
    {
        // As a shell takes it apart; the library's splitter knows double quotes only.
        var parsed = root.Parse([.. CommandLineParser.SplitCommandLine(line.Replace('\'', '"'))]);
        Assert.True(parsed.Errors.Count == 0, $"relay {line}: {string.Join(' ', parsed.Errors.Select(e => e.Message))}");
    }

    private static string Block(string file, string language) =>
        Regex.Match(File.ReadAllText(Path.Combine(Repository.Root, file)), $"```{language}\n(.*?)```", RegexOptions.Singleline).Groups[1].Value is { Length: > 0 } block
            ? block
            : throw new InvalidOperationException($"{file} has no {language} block.");

    /// <summary>Without comments, and any white space as one space.</summary>
    private static string Words(string code) => WhiteSpace().Replace(Regex.Replace(code, @"(?<!:)//.*", ""), " ").Trim();

    // Up to the end of the code, a comment, a pipe or an ampersand.
    [GeneratedRegex(@"\./relay ([a-z][^`#|&\n]*)")]
    private static partial Regex Command();

    [GeneratedRegex(@"(?:^|\| |\d )relay ([a-z].*)")]
    private static partial Regex Example();

    // In the help what follows three spaces is a remark.
    [GeneratedRegex(@"   .*")]
    private static partial Regex Remark();

    [GeneratedRegex(@"\s+")]
    private static partial Regex WhiteSpace();
}
