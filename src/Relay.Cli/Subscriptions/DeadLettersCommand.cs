using System.CommandLine;
using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Subscriptions;

/// <summary>The command group <c>relay dead-letters</c>: events that a subscription has set aside.</summary>
internal static class DeadLettersCommand
{
    private static readonly Argument<string> s_name = new("subscription") { Description = "endpoint/subscription, or its full name." };
    private static readonly Argument<string[]> s_cursors = new("cursor")
    {
        Description = "Which ones, by their cursors. Default: all.", Arity = ArgumentArity.ZeroOrMore,
    };

    public static Command Create() => new("dead-letters", "Events that a subscription has set aside after too many deliveries.")
    {
        CreateList(), CreateRetry(), CreateDrop(),
    };

    private static Command CreateList()
    {
        var texts = new Option<bool>("--texts", "-t") { Description = "Show the texts too." };
        var command = new Command("list", "List the dead letters, the oldest first. Needs a bot's key.") { s_name, texts }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var name = SubscriptionsCommand.Name(parsed.GetRequiredValue(s_name));
            var all = await Pages.AllAsync<DeadLetter>(async token =>
            {
                var request = new ListDeadLettersRequest { Parent = name, PageToken = token };
                var page = await client.CallAsync(o => client.Subscriptions.ListDeadLettersAsync(request, o), cancellation);
                return (page.DeadLetters, page.NextPageToken);
            });
            if (parsed.GetValue(CommonOptions.Json))
            {
                Report.Json(Report.ToArray(all));
                return ExitCode.Ok;
            }
            string[] columns =
                ["CURSOR", "TIME", "EVENT", "PEER", "DELIVERIES", "WHY", .. parsed.GetValue(texts) ? (string[])["TEXT"] : []];
            Report.Table(columns, all.Select(d => (string[])
            [
                d.Event.Cursor, Times.Say(d.Event.Time), $"{d.Event.EventCase}",
                Report.Safe(d.Event.Peer), $"{d.Deliveries}",
                Report.Safe(d.Note), .. parsed.GetValue(texts) ? (string[])[Report.Safe(d.Event.TextReceived?.Text ?? "")] : [],
            ]), "There are no dead letters.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateRetry()
    {
        var command = new Command("retry", "Deliver dead letters again.") { s_name, s_cursors }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var request = new RetryDeadLettersRequest { Parent = SubscriptionsCommand.Name(parsed.GetRequiredValue(s_name)) };
            request.Cursors.AddRange(parsed.GetValue(s_cursors) ?? []);
            var done = await client.CallAsync(o => client.Subscriptions.RetryDeadLettersAsync(request, o), cancellation);
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToNode(done));
            else Console.Out.WriteLine($"{done.Retried} will be delivered again.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateDrop()
    {
        var command = new Command("drop", "Delete dead letters.") { s_name, s_cursors }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var request = new DropDeadLettersRequest { Parent = SubscriptionsCommand.Name(parsed.GetRequiredValue(s_name)) };
            request.Cursors.AddRange(parsed.GetValue(s_cursors) ?? []);
            var done = await client.CallAsync(o => client.Subscriptions.DropDeadLettersAsync(request, o), cancellation);
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToNode(done));
            else Console.Out.WriteLine($"{done.Dropped} are deleted.");
            return ExitCode.Ok;
        });
        return command;
    }
}
