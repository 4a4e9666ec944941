using System.CommandLine;
using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Conversations;

/// <summary>The command group <c>relay conversations</c>: list, show, start, end.</summary>
internal static class ConversationsCommand
{
    public static Command Create() => new("conversations", "List, show, start and end conversations of an endpoint with a peer.")
    {
        CreateList(), CreateShow(), CreateStart(), CreateEnd(),
    };

    private static Command CreateList()
    {
        var endpoint = new Argument<string>("endpoint") { Description = "Id or name of the endpoint." };
        var command = new Command("list", "List an endpoint's conversations.") { endpoint }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var parent = EndpointNames.Endpoint(parsed.GetRequiredValue(endpoint));
            var all = await Pages.AllAsync<Conversation>(async token =>
            {
                var request = new ListConversationsRequest { Parent = parent, PageToken = token };
                var page = await client.CallAsync(o => client.Conversations.ListConversationsAsync(request, o), cancellation);
                return (page.Conversations, page.NextPageToken);
            });
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToArray(all));
            else Report.Table(["CONVERSATION", "PEER", "STATE", "LAST CHANGE"],
                all.Select(c => new[] { c.Name, c.Peer, State(c), Times.Say(c.UpdateTime) }),
                "This endpoint has no conversations yet.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateShow()
    {
        var name = PeerArguments.Conversation();
        var command = new Command("show", "Show one conversation and its sessions.") { name }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var request = new GetConversationRequest
            {
                Name = await PeerArguments.NameAsync(client, parsed.GetRequiredValue(name), cancellation),
            };
            var c = await client.CallAsync(o => client.Conversations.GetConversationAsync(request, o), cancellation);
            if (parsed.GetValue(CommonOptions.Json))
            {
                Report.Json(Report.ToNode(c));
                return ExitCode.Ok;
            }
            Report.Fields([("name", c.Name), ("peer", c.Peer), ("state", State(c)),
                ("last change", Times.SayBoth(c.UpdateTime))]);
            foreach (var s in c.Sessions)
            {
                Report.Fields(
                [
                    ("session", $"{State(s.State)}, version {s.ProtocolVersion}{(s.PeerVerified ? ", peer verified" : "")}"),
                    ("  peer's key", EndpointNames.Fingerprint(s.PeerFingerprint)),
                    ("  peer's tag", s.PeerInstanceTag.ToString("x8")), ("  session id", EndpointNames.Ssid(s)),
                ]);
            }
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateStart()
    {
        var endpoint = PeerArguments.Endpoint();
        var peer = new Option<string?>("--peer", "-p")
        {
            Description = "Address of the peer on the endpoint's network, if the argument does not have it.",
            HelpName = "ADDRESS",
        };
        var command = new Command("start", "Offer a peer a private session.") { endpoint, peer }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            var (parent, address) = PeerArguments.Read(parsed.GetRequiredValue(endpoint), parsed.GetValue(peer));
            await using var client = Connection.Open(parsed);
            var response = (await client.Bot().StartSessionAsync(parent, address, cancellation: cancellation)).Response;
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToNode(response));
            else
                Console.Out.WriteLine($"Offered a private session in {response.Conversation}. The peer's client may accept it or not.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateEnd()
    {
        var name = PeerArguments.Conversation();
        var command = new Command("end", "End a conversation's private session and notify the peer.") { name }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var ended = await PeerArguments.NameAsync(client, parsed.GetRequiredValue(name), cancellation);
            var response = (await client.Bot().EndSessionAsync(ended, cancellation: cancellation)).Response;
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToNode(response));
            else Console.Out.WriteLine($"Ended: {response.Conversation} is {State(response.State)}.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static string State(Conversation c) => c.Quarantined ? "QUARANTINED" : State(c.State);

    private static string State(MessageState state) => state.ToString().ToUpperInvariant();
}
