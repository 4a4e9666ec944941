using System.CommandLine;
using System.Text.Json.Nodes;
using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Conversations;

/// <summary>The command group <c>relay conversations</c>: list, show, label, start, end, delete.</summary>
internal static class ConversationsCommand
{
    public static Command Create() => new("conversations", "List, show, label, start, end and delete conversations of an endpoint with a peer.")
    {
        ListConversationsCommand.Create(), CreateShow(), LabelConversationCommand.Create(), CreateStart(), CreateEnd(), CreateDelete(),
    };

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
            Report.Fields([("name", c.Name), ("peer", c.Peer), ("state", State(c)), ("peer's key", ListConversationsCommand.Key(c)),
                ("held messages", $"{c.HeldMessages}"), ("labels", ListConversationsCommand.Labels(c)),
                ("began", Times.SayBoth(c.CreateTime)), ("last change", Times.SayBoth(c.UpdateTime))]);
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

    private static Command CreateDelete()
    {
        var name = PeerArguments.Conversation();
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask." };
        var command = new Command("delete",
            "Delete a conversation: its session is ended, and what waits in it is dropped. What is known of the peer's keys stays.")
        {
            name, yes,
        }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var deleted = await PeerArguments.NameAsync(client, parsed.GetRequiredValue(name), cancellation);
            if (!parsed.GetValue(yes)) Confirm(parsed.GetRequiredValue(name));
            var request = new DeleteConversationRequest { RequestId = Guid.NewGuid().ToString("N"), Name = deleted };
            await client.CallAsync(o => client.Conversations.DeleteConversationAsync(request, o), cancellation);
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(new JsonObject { ["deleted"] = deleted });
            else Console.Out.WriteLine($"{deleted} is deleted.");
            return ExitCode.Ok;
        });
        return command;
    }

    /// <exception cref="CommandFailure">Nobody can be asked, or the answer is no.</exception>
    private static void Confirm(string conversation)
    {
        if (Console.IsInputRedirected)
            throw new CommandFailure(ExitCode.Usage, "A conversation that is deleted does not come back, and nobody can be asked here.", "Add --yes to go ahead.");
        Console.Error.Write($"This ends the session with {Report.Safe(conversation)} and drops what waits. Go ahead? [y/N] ");
        if (Console.ReadLine()?.Trim() is not ("y" or "Y" or "yes")) throw new CommandFailure(ExitCode.Usage, "Nothing was changed.");
    }

    public static string State(Conversation c) => c.Quarantined ? "QUARANTINED" : State(c.State);

    private static string State(MessageState state) => state.ToString().ToUpperInvariant();
}
