using System.CommandLine;
using Relay.Client;
using Relay.V1;
using Disposition = Relay.V1.SendMessageResponse.Types.Disposition;

namespace Relay.Cli.Talk;

/// <summary>The command <c>relay send</c>: one message to one peer.</summary>
internal static class SendCommand
{
    public static Command Create()
    {
        var endpoint = new Argument<string>("endpoint") { Description = "Id or name of the endpoint that sends." };
        var peer = new Argument<string>("peer") { Description = "Address of the peer on the endpoint's network." };
        var text = new Argument<string>("text") { Description = "The text; - reads it from standard input." };
        var id = new Option<string?>("--request-id")
        {
            Description = "Idempotency key: a message with the same one is sent once, however often the command runs.", HelpName = "ID",
        };
        var command = new Command("send", "Send a message to a peer. Needs a bot's key.") { endpoint, peer, text, id }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            var body = parsed.GetRequiredValue(text);
            if (body == "-") body = await Console.In.ReadToEndAsync(cancellation);
            await using var client = Connection.Open(parsed);
            var parent = EndpointNames.Endpoint(parsed.GetRequiredValue(endpoint));
            var outcome = await client.Bot(parent).SendToAsync(
                parent, parsed.GetRequiredValue(peer), body, parsed.GetValue(id), cancellation);
            if (outcome.Refusal is { } refusal) throw CommandFailure.From(refusal);
            var sent = outcome.Response!;
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToNode(sent));
            else Console.Out.WriteLine(Sentence(sent.Disposition));
            return ExitCode.Ok;
        });
        return command;
    }

    private static string Sentence(Disposition disposition) => disposition switch
    {
        Disposition.Encrypted => "Encrypted, and on its way to the bridge.",
        Disposition.Clear => "Sent unencrypted, as the endpoint's policy allows.",
        Disposition.Held => "Held: the peer was asked for a private session, and gets the message if one is established within two minutes.",
        _ => "Accepted.",
    };
}
