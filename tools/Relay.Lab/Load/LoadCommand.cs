using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Relay.Cli;
using Relay.Client;

namespace Relay.Lab.Load;

/// <summary>
/// <c>relay load</c>: runs conversations through an existing server or cluster, to verify that a deployment loses nothing while
/// it is upgraded or damaged. The exit code is 0 only if no message was lost or repeated and no call failed.
/// </summary>
internal static class LoadCommand
{
    private const int MaxConversations = 1000;
    private static readonly TimeSpan s_tell = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_settle = TimeSpan.FromMinutes(1);
    private static readonly Option<int> s_conversations = new("--conversations")
    {
        Description = $"Number of concurrent conversations, 1 to {MaxConversations}.",
        HelpName = "N",
        DefaultValueFactory = _ => 30,
    };
    private static readonly Option<double> s_seconds = new("--seconds")
    {
        Description = "Duration in seconds; 0: until SIGINT or SIGTERM. Either signal ends it gracefully at any time.",
        HelpName = "S",
        DefaultValueFactory = _ => 30,
    };
    private static readonly Option<string?> s_readyFile = new("--ready-file")
    {
        Description = "File to create once all sessions are established and messages are being sent.",
        HelpName = "FILE",
    };

    public static Command Create()
    {
        var command = new Command("load",
            "Run conversations through an existing server or cluster, with its own contacts, bot and bridge, "
            + "and check that nothing is lost. Needs an admin key. The endpoint that it creates, load-…, is not deleted.")
        {
            s_conversations, s_seconds, s_readyFile,
        }.WithServer();
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        int conversations = parsed.GetValue(s_conversations) is var n and >= 1 and <= MaxConversations
            ? n
            : throw new CommandFailure(ExitCode.Usage, $"--conversations must be 1 to {MaxConversations}.");
        var seconds = parsed.GetValue(s_seconds);
        bool json = parsed.GetValue(CommonOptions.Json);
        var options = new LoadOptions(conversations, TimeSpan.FromSeconds(1))
        {
            EndpointPrefix = string.Create(CultureInfo.InvariantCulture, $"load-{Random.Shared.Next():x8}-"),
            Seed = Random.Shared.Next(),
        };
        await using var stage = await LoadStage.OpenAsync(
            (key, _) => Connection.Open(parsed, key, TimeSpan.FromMinutes(2)), Connection.Key(parsed), options, stop);
        await stage.Load.BeginAsync(static _ => { }, stop);
        if (!json) Console.Out.WriteLine($"{conversations} private sessions are established, at {string.Join(' ', stage.Endpoints)}.");
        stage.Load.Talk();
        if (parsed.GetValue(s_readyFile) is { } file) await File.WriteAllTextAsync(file, "ready\n", stop);
        long begun = TimeProvider.System.GetTimestamp();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        if (seconds > 0) end.CancelAfter(TimeSpan.FromSeconds(seconds));
        while (!end.IsCancellationRequested)
        {
            long moment = TimeProvider.System.GetTimestamp();
            await Task.Delay(s_tell, end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!json) Tell(stage.Load, moment);
        }
        await stage.Load.SettleAsync(s_settle, CancellationToken.None);
        return Verdict(stage.Load, begun, conversations, json);
    }

    private static void Tell(ConversationLoad load, long since)
    {
        var answers = load.Ledger.AnswersSince(since);
        var longest = answers.Count == 0 ? TimeSpan.Zero : answers.Max(a => a.Wait);
        var faults = load.Ledger.Faults.Count > 0 ? $", {load.Ledger.Faults.Count} faults" : "";
        Console.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{answers.Count,6} answers, the longest wait {longest.TotalSeconds:0.00} s{faults}"));
    }

    private static int Verdict(ConversationLoad load, long begun, int conversations, bool json)
    {
        var (tally, faults, answers) = (load.Tally, load.Ledger.Faults, load.Ledger.AnswersSince(begun));
        bool isSound = faults.Count == 0 && answers.Count > 0 && tally.BotRead == tally.ContactSaid && tally.ContactRead == tally.BotSaid
            && tally.ContactSessions == conversations && tally.BotSessions == conversations;
        var longest = answers.Count == 0 ? TimeSpan.Zero : answers.Max(a => a.Wait);
        if (json)
        {
            Report.Json(new JsonObject
            {
                ["ok"] = isSound,
                ["conversations"] = conversations,
                ["contactsSaid"] = tally.ContactSaid,
                ["botRead"] = tally.BotRead,
                ["botSaid"] = tally.BotSaid,
                ["contactsRead"] = tally.ContactRead,
                ["dataMessagesOnTheWire"] = tally.DataMessages,
                ["keyExchanges"] = tally.ContactSessions,
                ["longestWaitMs"] = Math.Round(longest.TotalMilliseconds, 1),
                ["faults"] = new JsonArray([.. faults.Select(f => (JsonNode)f)]),
            });
        }
        else
        {
            foreach (var fault in faults) Console.Out.WriteLine(Report.Safe(fault));
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"Contacts wrote {tally.ContactSaid:N0}, the bot read {tally.BotRead:N0}; "
                + $"the bot wrote {tally.BotSaid:N0}, contacts read {tally.ContactRead:N0}; "
                + $"{tally.ContactSessions:N0} key exchanges; the longest wait was {longest.TotalSeconds:0.00} s."));
            Console.Out.WriteLine(isSound
                ? "Nothing was lost, repeated or out of order, and no call failed."
                : "The load failed: see the faults and counts above.");
        }
        return isSound ? ExitCode.Ok : ExitCode.Failed;
    }
}
