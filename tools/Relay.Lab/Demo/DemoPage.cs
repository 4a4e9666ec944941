using Relay.Cli;
using Spectre.Console;

namespace Relay.Lab.Demo;

/// <summary>What the pages of the demos have in common.</summary>
internal sealed class DemoPage(IAnsiConsole console)
{
    private const int WidthOfFiles = 118;

    public static IAnsiConsole Terminal()
    {
        var console = Report.Terminal();
        if (Console.IsOutputRedirected) console.Profile.Width = WidthOfFiles;
        return console;
    }

    public void Chapter(string number, string title, string narration)
    {
        console.WriteLine();
        Rule($"{number} · {title}");
        console.Write(new Padder(new Text(narration, new Style(Color.Grey)), new Padding(2, 0, 2, 1)));
    }

    public void Fact(string text) => console.Write(new Padder(new Markup($"[green]•[/] {Markup.Escape(text)}"), new Padding(2, 0, 2, 0)));

    public void Verdict(IReadOnlyList<DemoCheck> checks, string? failure)
    {
        console.WriteLine();
        Rule("What was proved");
        foreach (var check in checks) console.MarkupLine(check.IsTrue ? $"  [green]✓[/] {Markup.Escape(check.What)}" : $"  [red]✗ {Markup.Escape(check.What)}[/]");
        console.WriteLine();
        if (failure is not null) console.MarkupLine($"[red]The demo stopped: {Markup.Escape(Report.Safe(failure))}[/]");
        else console.MarkupLine(checks.All(c => c.IsTrue) ? "[bold green]All of it happened.[/]" : "[bold red]Not all of it happened.[/]");
    }

    public void Rule(string title) => console.Write(new Spectre.Console.Rule($"[bold]{Markup.Escape(title)}[/]") { Justification = Justify.Left, Style = new Style(Color.Grey) });
}
