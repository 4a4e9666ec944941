using Relay.Cli;
using Spectre.Console;

namespace Relay.Lab.Demo;

/// <summary>The console output that both demos share: chapters, facts and the result of the checks.</summary>
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

    public void Fact(string text)
    {
        var grid = List();
        grid.AddRow(new Markup("[green]•[/]"), new Text(text));
        console.Write(grid);
    }

    public void Verdict(IReadOnlyList<DemoCheck> checks, string? failure)
    {
        console.WriteLine();
        Rule("What was proved");
        var grid = List();
        foreach (var check in checks)
        {
            grid.AddRow(new Markup(check.IsTrue ? "[green]✓[/]" : "[red]✗[/]"), new Text(check.What, check.IsTrue ? Style.Plain : new Style(Color.Red)));
        }
        console.Write(grid);
        console.WriteLine();
        if (failure is not null) console.MarkupLine($"[red]The demo stopped: {Markup.Escape(Report.Safe(failure))}[/]");
        else if (checks.All(c => c.IsTrue)) console.MarkupLine("[bold green]All checks succeeded.[/]");
        else console.MarkupLine("[bold red]Not all checks succeeded.[/]");
    }

    /// <summary>Marks, and texts whose further lines stay beside them.</summary>
    private static Grid List()
    {
        var grid = new Grid();
        grid.AddColumn(new GridColumn().NoWrap().Padding(2, 0, 1, 0));
        grid.AddColumn(new GridColumn().Padding(0, 0, 0, 0));
        return grid;
    }

    public void Rule(string title) => console.Write(new Spectre.Console.Rule($"[bold]{Markup.Escape(title)}[/]")
    {
        Justification = Justify.Left,
        Style = new Style(Color.Grey),
    });
}
