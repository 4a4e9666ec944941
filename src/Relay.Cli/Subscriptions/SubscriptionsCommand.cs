using System.CommandLine;
using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;
using Relay.V1;
using EventType = Relay.V1.Subscription.Types.EventType;

namespace Relay.Cli.Subscriptions;

/// <summary>The command group <c>relay subscriptions</c>: named readers of an endpoint's events.</summary>
internal static class SubscriptionsCommand
{
    private static readonly Argument<string> s_endpoint = new("endpoint") { Description = "Id or name of the endpoint." };
    private static readonly Argument<string> s_name = new("subscription") { Description = "endpoint/subscription, or its full name." };

    private static readonly Dictionary<string, EventType> s_types = new()
    {
        ["text"] = EventType.TextReceived, ["session"] = EventType.SessionChanged, ["dropped"] = EventType.MessageDropped,
        ["notice"] = EventType.Notice, ["verification"] = EventType.VerificationChanged, ["identity"] = EventType.IdentityChanged,
        ["message"] = EventType.MessageChanged, ["file"] = EventType.FileChanged,
    };

    public static Command Create() => new("subscriptions", "Named readers of an endpoint's events, each with a memory of its own.")
    {
        CreateList(), CreateShow(), CreateCreate(), CreateDelete(), CreateSeek(),
    };

    /// <summary>The resource name of a subscription, given as <c>support/audit</c> or in full.</summary>
    /// <exception cref="CommandFailure">It is neither.</exception>
    public static string Name(string text)
    {
        if (text.StartsWith("endpoints/", StringComparison.Ordinal)) return text;
        return text.Split('/') is [{ Length: > 0 } endpoint, { Length: > 0 } name]
            ? $"endpoints/{endpoint}/subscriptions/{name}"
            : throw new CommandFailure(ExitCode.Usage, "A subscription is named as endpoint/subscription, such as support/audit.");
    }

    private static Command CreateList()
    {
        var command = new Command("list", "List the subscriptions of an endpoint.") { s_endpoint }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var request = new ListSubscriptionsRequest { Parent = EndpointNames.Endpoint(parsed.GetRequiredValue(s_endpoint)) };
            var listed = await client.CallAsync(o => client.Subscriptions.ListSubscriptionsAsync(request, o), cancellation);
            var all = new List<Subscription>();
            // One by one: what waits in a subscription is known by its node.
            foreach (var s in listed.Subscriptions)
            {
                all.Add(await client.CallAsync(
                    o => client.Subscriptions.GetSubscriptionAsync(new GetSubscriptionRequest { Name = s.Name }, o),
                    cancellation));
            }
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToArray(all));
            else Report.Table(["SUBSCRIPTION", "EVENTS", "PENDING", "OLDEST", "READERS", "DEAD LETTERS"],
                all.Select(s => new[]
                {
                    EndpointNames.Id(s.Name), Types(s), $"{s.Pending}", Age(s.OldestAge), $"{s.Readers}", $"{s.DeadLetters}",
                }),
                "This endpoint has no subscriptions: its events are in its own stream. 'relay subscriptions create' makes one.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateShow()
    {
        var command = new Command("show", "Show one subscription and what waits in it.") { s_name }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var request = new GetSubscriptionRequest { Name = Name(parsed.GetRequiredValue(s_name)) };
            Show(parsed, await client.CallAsync(o => client.Subscriptions.GetSubscriptionAsync(request, o), cancellation));
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateCreate()
    {
        var types = new Option<string?>("--events")
        {
            Description = $"Only these events, separated by commas: {string.Join(", ", s_types.Keys)}. Default: all.", HelpName = "LIST",
        };
        var wait = new Option<string?>("--ack-wait")
        {
            Description = "Deliver an event again that is not acknowledged within this time: 30s, 5m. Default: 30s.", HelpName = "TIME",
        };
        var deliveries = new Option<int?>("--max-deliveries")
        {
            Description = "Set an event aside as a dead letter after so many deliveries; 0: never. Default: 5.", HelpName = "N",
        };
        var webhook = new Option<string?>("--webhook")
        {
            Description = "Post the events to this address. The key of the signatures is shown once.", HelpName = "URL",
        };
        var command = new Command("create", "Create a subscription. It gets the events from now on.")
        {
            s_name, types, wait, deliveries, webhook,
        }
            .WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            var parts = Name(parsed.GetRequiredValue(s_name)).Split('/');
            if (parts.Length != 4) throw new CommandFailure(ExitCode.Usage, "A subscription is named as endpoint/subscription.");
            var subscription = new Subscription();
            foreach (var type in (parsed.GetValue(types) ?? "")
                .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                subscription.Types_.Add(s_types.TryGetValue(type, out var known) ? known
                    : throw new CommandFailure(ExitCode.Usage, $"--events must name some of {string.Join(", ", s_types.Keys)}."));
            }
            if (parsed.GetValue(wait) is { } time) subscription.AckWait = Durations.Parse(time, "--ack-wait");
            if (parsed.GetValue(deliveries) is { } most) subscription.MaxDeliveries = most;
            if (parsed.GetValue(webhook) is { } url) subscription.Webhook = new Webhook { Url = url };
            var request = new CreateSubscriptionRequest
            { Parent = $"endpoints/{parts[1]}", SubscriptionId = parts[3], Subscription = subscription };
            await using var client = Connection.Open(parsed);
            var made = await client.CallAsync(o => client.Subscriptions.CreateSubscriptionAsync(request, o), cancellation);
            Show(parsed, made);
            if (made.Webhook?.Secret is { Length: > 0 } secret && !parsed.GetValue(CommonOptions.Json))
                Console.Out.WriteLine($"The key of the signatures, which is not shown again:\n  {secret}");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateDelete()
    {
        var command = new Command("delete", "Delete a subscription, with the events that wait in it and its dead letters.") { s_name }
            .WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var request = new DeleteSubscriptionRequest { Name = Name(parsed.GetRequiredValue(s_name)) };
            await client.CallAsync(o => client.Subscriptions.DeleteSubscriptionAsync(request, o), cancellation);
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(new JsonObject { ["deleted"] = request.Name });
            else Console.Out.WriteLine($"{request.Name} is deleted.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateSeek()
    {
        var time = new Option<string?>("--time")
        {
            Description = "Pass over the events before this time, such as '3 hours ago' or 2026-11-26T12:00Z. Default: all that there are.",
            HelpName = "TIME",
        };
        var command = new Command("seek", "Pass over events, as if they were acknowledged.") { s_name, time }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var request = new SeekSubscriptionRequest
            {
                Name = Name(parsed.GetRequiredValue(s_name)), Time = parsed.GetValue(time) is { } when ? Times.ParsePast(when, "--time", DateTimeOffset.UtcNow).ToTimestamp() : null,
            };
            await client.CallAsync(o => client.Subscriptions.SeekSubscriptionAsync(request, o), cancellation);
            var get = new GetSubscriptionRequest { Name = request.Name };
            Show(parsed, await client.CallAsync(o => client.Subscriptions.GetSubscriptionAsync(get, o), cancellation));
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Show(ParseResult parsed, Subscription s)
    {
        if (parsed.GetValue(CommonOptions.Json))
        {
            Report.Json(Report.ToNode(s));
            return;
        }
        Report.Fields(
        [
            ("name", s.Name), ("events", Types(s)), ("acknowledge within", Times.Length(s.AckWait.ToTimeSpan())),
            ("deliveries", s.MaxDeliveries == 0 ? "no limit" : $"{s.MaxDeliveries}, then a dead letter"),
            ("pending", $"{s.Pending}, of which readers have {s.Unacknowledged}"), ("oldest", s.OldestAge is null ? "nothing waits" : Age(s.OldestAge)),
            ("readers", $"{s.Readers}"), ("dead letters", $"{s.DeadLetters}"),
            .. s.Webhook is { } webhook ? [("webhook", webhook.Url)] : Array.Empty<(string, string)>(),
            ("last taken", Time(s.LastAckTime)),
            .. s.LastNackTime is { } refused ? [("last refused", $"{Time(refused)} {s.LastNackNote}")] : Array.Empty<(string, string)>(),
        ]);
    }

    private static string Types(Subscription s) =>
        s.Types_.Count == 0 ? "all" : string.Join(", ", s_types.Where(t => s.Types_.Contains(t.Value)).Select(t => t.Key));

    private static string Time(Timestamp? time) => Times.SayBoth(time, "not yet");

    private static string Age(Duration? age) => age is null ? "" : Times.Length(age.ToTimeSpan());
}
