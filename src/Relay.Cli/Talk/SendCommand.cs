using System.CommandLine;
using Relay.Client;
using Relay.V1;
using State = Relay.V1.Message.Types.State;

namespace Relay.Cli.Talk;

/// <summary>The command <c>relay send</c>: one message to one peer.</summary>
internal static class SendCommand
{
    public static Command Create()
    {
        var endpoint = PeerArguments.Endpoint();
        var peer = PeerArguments.Peer();
        var text = new Argument<string?>("text")
        {
            Description = "The text; - reads it from standard input.", Arity = ArgumentArity.ZeroOrOne,
        };
        var id = new Option<string?>("--request-id")
        {
            Description = "Idempotency key: a message with the same one is sent once, however often the command runs.", HelpName = "ID",
        };
        var wait = new Option<string?>("--wait")
        {
            Description = "Wait until it is known what became of the message, for this time at most (60s). What is refused is a failure.",
            HelpName = "TIME",
        };
        var command = new Command("send", "Send a message to a peer. Needs a bot's key.") { endpoint, peer, text, id, wait }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            var (parent, address, body) =
                PeerArguments.Read(parsed.GetRequiredValue(endpoint), parsed.GetValue(peer), parsed.GetValue(text), "The text");
            if (body == "-") body = await Console.In.ReadToEndAsync(cancellation);
            await using var client = Connection.Open(parsed);
            var patience = parsed.GetValue(wait) is { } time ? Durations.Parse(time, "--wait").ToTimeSpan() : TimeSpan.Zero;
            var outcome = await client.Bot(parent).SendToAsync(
                parent, address, body, parsed.GetValue(id), patience, cancellation);
            if (outcome.Refusal is { } refusal) throw CommandFailure.From(refusal);
            var sent = outcome.Response!;
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToNode(sent));
            else Console.Out.WriteLine(Sentence(sent.Message));
            return sent.Message.State is State.Undeliverable or State.Dropped or State.Cancelled ? ExitCode.Failed : ExitCode.Ok;
        });
        return command;
    }

    private static string DroppedBecause(string reason) => reason switch
    {
        "EXPIRED" => "no private session was established in time.",
        "NOT_TRUSTED" => "a private session is established, but the peer's key is not verified. 'relay verify' does that.",
        "FINGERPRINT_CHANGED" => "the peer has come with another key than before. Compare it, or 'relay verify', and send it again.",
        "KEY_REFUSED" => "the peer's key was refused.",
        _ => "it was held, and given up.",
    };

    private static string Sentence(Message message) => message.State switch
    {
        State.Encrypted => "Encrypted, and on its way to the bridge.",
        State.Clear => "Sent unencrypted, as the endpoint's policy allows.",
        State.Held => "Held: the peer was asked for a private session, and gets the message if one is established within two minutes.",
        State.Carried => "Carried: the network has it.",
        State.Delivered => "Delivered: the peer's program has confirmed it.",
        State.Undeliverable => $"Not delivered: the network has refused it ({message.Reason}).",
        State.Dropped => $"Not sent ({message.Reason}): {DroppedBecause(message.Reason)}",
        State.Cancelled => "Not sent: it was taken back.",
        _ => "Accepted.",
    };
}
