using System.CommandLine;
using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Talk;

/// <summary>The command group <c>relay messages</c>: list, get, cancel.</summary>
internal static class MessagesCommand
{
    private static readonly Argument<string> s_name =
        new("message") { Description = "endpoints/{endpoint}/conversations/{conversation}/messages/{message}" };

    public static Command Create() => new("messages", "See what became of messages that were sent, and take back what is held. Needs a bot's key.")
    {
        CreateList(), CreateGet(), CreateCancel(),
    };

    private static Command CreateList()
    {
        var endpoint = new Argument<string>("endpoint") { Description = "Id or name of the endpoint." };
        var peer = new Argument<string>("peer") { Description = "Address of the peer on the endpoint's network." };
        var state = new Option<string?>("--state")
        {
            Description = "Only messages in this state: held, encrypted, clear, carried, delivered, undeliverable, dropped or cancelled.",
            HelpName = "STATE",
        };
        var command = new Command("list", "List the latest messages to a peer, the newest first. Their texts are not kept.")
        {
            endpoint, peer, state,
        }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var resolve = new ResolveConversationRequest
            {
                Parent = EndpointNames.Endpoint(parsed.GetRequiredValue(endpoint)), Peer = parsed.GetRequiredValue(peer),
            };
            var conversation = await client.CallAsync(o => client.Conversations.ResolveConversationAsync(resolve, o), cancellation);
            var filter = parsed.GetValue(state) is { } wanted ? $"state = {wanted.ToUpperInvariant()}" : "";
            var all = await Pages.AllAsync<Message>(async token =>
            {
                var request = new ListMessagesRequest { Parent = conversation.Name, PageToken = token, Filter = filter };
                var page = await client.CallAsync(o => client.Messages.ListMessagesAsync(request, o), cancellation);
                return (page.Messages, page.NextPageToken);
            });
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToArray(all));
            else Report.Table(["MESSAGE", "STATE", "REASON", "SENT", "LAST CHANGE"],
                all.Select(m => new[] { m.Name, State(m), m.Reason, Time(m.CreateTime), Time(m.UpdateTime) }),
                "No message to this peer is remembered.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateGet()
    {
        var command = new Command("get", "Show what became of one message.") { s_name }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            Show(parsed, await client.Bot().GetMessageAsync(parsed.GetRequiredValue(s_name), cancellation));
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateCancel()
    {
        var command = new Command("cancel", "Take back a message that is held. It is never sent.") { s_name }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var outcome = await client.Bot().CancelMessageAsync(parsed.GetRequiredValue(s_name), cancellation: cancellation);
            if (outcome.Refusal is { } refusal) throw CommandFailure.From(refusal);
            Show(parsed, outcome.Response!);
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Show(ParseResult parsed, Message message)
    {
        if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToNode(message));
        else Report.Fields([("name", message.Name), ("state", State(message)), ("reason", message.Reason),
            ("sent", Time(message.CreateTime)), ("last change", Time(message.UpdateTime))]);
    }

    private static string State(Message message) => message.State.ToString().ToUpperInvariant();

    private static string Time(Google.Protobuf.WellKnownTypes.Timestamp time) => time.ToDateTime().ToString("u");
}
