using System.Globalization;
using System.Text;
using Relay.Cli;
using Spectre.Console;

namespace Relay.Lab.Demo;

/// <summary>Presents the demo to people: a table of plaintext and wire text side by side, in chronological order.</summary>
internal sealed class PeopleAudience(IAnsiConsole console) : IDemoAudience
{
    private const int TextShown = 60;
    private const int WireShown = 30;
    /// <summary>Width of a table's frame, of the padding of its columns and of the time, in characters.</summary>
    private const int Frame = 18;
    /// <summary>Width of a terminal below which there is one column instead of three.</summary>
    private const int NarrowBelow = 100;
    /// <summary>Characters in a line of wire text besides the text: an arrow, a space and an ellipsis.</summary>
    private const int AroundWire = 3;
    private readonly int _column = Math.Min(42, console.Profile.Width < NarrowBelow ? WireShown + AroundWire : (console.Profile.Width - Frame) / 3);
    private readonly DemoPage _page = new(console);
    private string _contact = "";
    private bool _headsShown;

    public static PeopleAudience Create() => new(DemoPage.Terminal());

    public void Chapter(string number, string title, string narration)
    {
        _headsShown = false;
        _page.Chapter(number, title, narration);
    }

    public void Cast(string contact) => _contact = contact;

    public void Fact(string text) => _page.Fact(text);

    public void Show(IReadOnlyList<DemoEntry> entries)
    {
        if (console.Profile.Width < NarrowBelow)
        {
            ShowInOneColumn(entries);
            return;
        }
        var table = new Table().Border(TableBorder.Simple).BorderColor(Color.Grey);
        var contact = new Markup($"[bold]alice[/], external [grey]({Markup.Escape(_contact)})[/]");
        table.AddColumn(new TableColumn(new Markup("[grey]s[/]")).RightAligned());
        table.AddColumn(new TableColumn(contact).Width(Math.Min(40, _column)));
        table.AddColumn(new TableColumn(new Markup("[bold]the wire[/] [grey](what the bridge carries)[/]")).Width(_column));
        table.AddColumn(new TableColumn(new Markup("[bold]echo bot[/] [grey](through Relay)[/]")).Width(Math.Min(36, _column)));
        if (_headsShown) table.HideHeaders();
        _headsShown = true;
        for (int i = 0; i < entries.Count; i++)
        {
            int run = Fragments(entries, i);
            if (run > 1)
            {
                table.AddRow(Time(entries[i]), new Text(""), new Markup(FragmentCell(entries.Skip(i).Take(run).ToList())), new Text(""));
                i += run - 1;
                continue;
            }
            var e = entries[i];
            table.AddRow(Time(e), new Markup(e.Witness == Witness.Contact ? Cell(e) : ""),
                new Markup(e.Witness is Witness.WireIn or Witness.WireOut or Witness.Server ? Cell(e) : ""),
                new Markup(e.Witness == Witness.Bot ? Cell(e) : ""));
        }
        console.Write(table);
    }

    public void Verdict(IReadOnlyList<DemoCheck> checks, IReadOnlyList<DemoEntry> entries, string? failure)
        => _page.Verdict(checks, failure);

    public void Stay(DemoStage stage)
    {
        console.WriteLine();
        _page.Rule("What to try next");
        console.WriteLine($"""
              The server, the echo bot, the bridge and alice run until you press Ctrl-C. In another terminal:

                export RELAY_SERVER={stage.Server.Address.GetLeftPart(UriPartial.Authority)} RELAY_KEY_FILE={stage.AdminKeyFile}
                ./relay chat --endpoint desk --peer {DemoStage.ContactAddress} --start    # you are the bot; alice answers
                ./relay endpoints list
                ./relay conversations list echo
                ./relay keys list
                ./relay doctor --data {stage.DataDirectory}

              A bot of your own: set RELAY_KEY_FILE={stage.BotKeyFile} and run one of examples/.
              The server's log: {stage.ServerLog}
            """);
    }

    /// <summary>One entry below the other, each with its time and with who saw it.</summary>
    private void ShowInOneColumn(IReadOnlyList<DemoEntry> entries)
    {
        var grid = new Grid();
        grid.AddColumn(new GridColumn().NoWrap().RightAligned().Padding(2, 0, 2, 0));
        grid.AddColumn(new GridColumn().NoWrap());
        grid.AddColumn(new GridColumn());
        for (int i = 0; i < entries.Count; i++)
        {
            var e = entries[i];
            int run = Fragments(entries, i);
            grid.AddRow(Time(e), new Text(e.Witness switch
            {
                Witness.Contact => "alice", Witness.Bot => "bot", Witness.Server => "server", _ => "wire",
            }, new Style(Color.Grey)), new Markup(run > 1 ? FragmentCell(entries.Skip(i).Take(run).ToList()) : Cell(e)));
            if (run > 1) i += run - 1;
        }
        console.Write(grid);
        console.WriteLine();
    }

    private static Text Time(DemoEntry e) =>
        new(e.At.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture), new Style(Color.Grey));

    /// <summary>The number of consecutive fragments of one direction, starting at this entry.</summary>
    private static int Fragments(IReadOnlyList<DemoEntry> entries, int from)
    {
        int n = 0;
        while (from + n < entries.Count && entries[from + n] is { Sight: Sight.Carried } e && e.Witness == entries[from].Witness
            && Fragment.IsFragment(e.Wire!))
        {
            n++;
        }
        return n;
    }

    private string FragmentCell(List<DemoEntry> run) =>
        $"{Arrow(run[0])} [grey]{Markup.Escape(Head(run[0].Wire!))}[/]\n  {run.Count} fragments, {run.Sum(e => e.Wire!.Length):N0} bytes";

    private string Cell(DemoEntry e) => e.Sight switch
    {
        Sight.Wrote => $"[cyan]writes[/]  {Quoted(e.Text)}",
        Sight.Read => (e.IsPrivate ? "[green]reads 🔒[/] " : "[red]reads in the clear[/] ") + Quoted(e.Text),
        Sight.Carried => $"{Arrow(e)} [grey]{Markup.Escape(Head(e.Wire!))}[/]\n  {Kind(e.Wire!)}{e.Wire!.Length:N0} bytes",
        Sight.SessionBegan => $"[yellow]session established[/], id {Markup.Escape(e.Text)}",
        Sight.SessionEnded => "[yellow]session ended[/]",
        Sight.Refused => $"[red]refused[/]  {Markup.Escape(Short(e.Text, 80))}",
        _ when e.Witness == Witness.Server => $"[bold red]──[/] [bold]{Markup.Escape(e.Text)}[/]",
        _ => Markup.Escape(Short(e.Text, TextShown)),
    };

    private static string Arrow(DemoEntry e) => e.Witness == Witness.WireIn ? "[blue]→[/]" : "[magenta]←[/]";

    private static string Kind(byte[] wire) => Fragment.Name(wire) is { Length: > 0 } name ? $"{name}, " : "";

    /// <summary>The beginning of a wire text, cut to one line: wire text has no spaces at which the table could wrap it.</summary>
    private string Head(byte[] wire) => Short(Report.Safe(Encoding.UTF8.GetString(wire)), Math.Clamp(_column - AroundWire, 8, WireShown));

    private static string Quoted(string text)
    {
        var bytes = Encoding.UTF8.GetByteCount(text);
        return Markup.Escape($"\"{Short(Report.Safe(text), TextShown)}\"")
            + (text.Length > TextShown ? $" [grey]({bytes:N0} bytes)[/]" : "");
    }

    /// <summary>Truncates a text, but never between the two halves of a surrogate pair.</summary>
    private static string Short(string text, int length)
    {
        if (text.Length <= length) return text;
        var cut = char.IsHighSurrogate(text[length - 1]) ? length - 1 : length;
        return text[..cut] + "…";
    }
}
