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
    /// <summary>The longest duration, for which the keys are valid that an endless load makes.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(7);
    /// <summary>Time for key exchanges before the duration begins, and for answers after it.</summary>
    private static readonly TimeSpan s_keyMargin = TimeSpan.FromMinutes(10);
    private static readonly Option<int> s_conversations = new("--conversations")
    {
        Description = $"Number of concurrent conversations, 1 to {MaxConversations}.",
        HelpName = "N",
        DefaultValueFactory = _ => 30,
    };
    private static readonly Option<double> s_seconds = new("--seconds")
    {
        Description = "Duration in seconds; 0: until SIGINT or SIGTERM, at most a week. Either signal ends it gracefully at any time.",
        HelpName = "S",
        DefaultValueFactory = _ => 30,
    };
    private static readonly Option<string?> s_readyFile = new("--ready-file")
    {
        Description = "File to create once all sessions are established and messages are being sent.",
        HelpName = "FILE",
    };

    private static readonly Option<string?> s_endpoint = new("--endpoint", "-e")
    {
        Description = "Use this endpoint of the network 'load' in place of a new one, and do not delete it. No other run may use it meanwhile.",
        HelpName = "ENDPOINT",
    };

    public static Command Create()
    {
        var command = new Command("load",
            "Run conversations through an existing server or cluster, with its own contacts, bot and bridge, and check that nothing is "
            + "lost. Needs an admin key. It makes an endpoint, load-…, and two keys that are limited to it and to the duration. All of "
            + "that is deleted at the end, also after Ctrl-C, which ends it gracefully, and a second one, which ends it at once.")
        {
            s_conversations, s_seconds, s_readyFile, s_endpoint,
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
        if (!(seconds >= 0 && seconds <= s_longest.TotalSeconds))
            throw new CommandFailure(ExitCode.Usage, $"--seconds must be 0 to {s_longest.TotalSeconds:0}.");
        var duration = seconds > 0 ? TimeSpan.FromSeconds(seconds) : s_longest;
        bool json = parsed.GetValue(CommonOptions.Json);
        var id = Random.Shared.Next().ToString("x8", CultureInfo.InvariantCulture);
        var options = new LoadOptions(conversations, TimeSpan.FromSeconds(1))
        {
            EndpointPrefix = $"load-{id}-",
            ExistingEndpoint = parsed.GetValue(s_endpoint) is { } endpoint ? EndpointNames.Endpoint(endpoint) : null,
            ContactSuffix = "-" + id,
            KeyLifetime = duration + s_keyMargin,
            Seed = Random.Shared.Next(),
        };
        using var signals = new LoadSignals();
        var stage = new LoadStage(options);
        bool isDone = false;
        long begun;
        try
        {
            await stage.PrepareAsync((key, _) => Connection.Open(parsed, key, TimeSpan.FromMinutes(2)), Connection.Key(parsed), stop);
            begun = await TalkAsync(parsed, stage, conversations, duration, stop);
            await stage.Load.SettleAsync(s_settle, signals.Second);
            isDone = true;
        }
        finally
        {
            await stage.DisposeAsync();
            if (!isDone && stage.Left is { } left) Console.Error.WriteLine(left);
        }
        return Verdict(stage, begun, conversations, json);
    }

    /// <returns>The timestamp at which the contacts began to talk.</returns>
    private static async Task<long> TalkAsync(
        ParseResult parsed, LoadStage stage, int conversations, TimeSpan duration, CancellationToken stop)
    {
        bool json = parsed.GetValue(CommonOptions.Json);
        await stage.Load.BeginAsync(static _ => { }, stop);
        if (!json) Console.Out.WriteLine($"{conversations} private sessions are established, at {string.Join(' ', stage.Endpoints)}.");
        stage.Load.Talk();
        if (parsed.GetValue(s_readyFile) is { } file) await File.WriteAllTextAsync(file, "ready\n", stop);
        long begun = TimeProvider.System.GetTimestamp();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        end.CancelAfter(duration);
        while (!end.IsCancellationRequested)
        {
            long moment = TimeProvider.System.GetTimestamp();
            await Task.Delay(s_tell, end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!json) Tell(stage.Load, moment);
        }
        return begun;
    }

    private static void Tell(ConversationLoad load, long since)
    {
        var answers = load.Ledger.AnswersSince(since);
        var longest = answers.Count == 0 ? TimeSpan.Zero : answers.Max(a => a.Wait);
        var faults = load.Ledger.Faults.Count > 0 ? $", {load.Ledger.Faults.Count} faults" : "";
        Console.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{answers.Count,6} answers, the longest wait {longest.TotalSeconds:0.00} s{faults}"));
    }

    private static int Verdict(LoadStage stage, long begun, int conversations, bool json)
    {
        var load = stage.Load;
        var (tally, faults, answers) = (load.Tally, load.Ledger.Faults, load.Ledger.AnswersSince(begun));
        bool isSound = stage.Left is null && faults.Count == 0 && answers.Count > 0
            && tally.BotRead == tally.ContactSaid && tally.ContactRead == tally.BotSaid
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
                ["endpointsLeft"] = new JsonArray([.. stage.EndpointsLeft.Select(e => (JsonNode)e)]),
                ["left"] = stage.Left,
            });
        }
        else
        {
            foreach (var fault in faults) Console.Out.WriteLine(Report.Safe(fault));
            if (stage.Left is { } left) Console.Out.WriteLine(left);
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
