using System.CommandLine;
using Grpc.Core;
using Relay.Cli.Subscriptions;
using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Talk;

/// <summary>
/// The command <c>relay tail</c>: shows events as they come. Of an endpoint's own stream it acknowledges nothing, so that it takes nothing
/// from its bot; of a subscription it is a reader like others.
/// </summary>
internal static class TailCommand
{
    public static Command Create()
    {
        var endpoint = new Argument<string>("endpoint") { Description = "Id or name of the endpoint, or endpoint/subscription." };
        var all = new Option<bool>("--all", "-a")
        {
            Description = "Begin with the oldest event that is not acknowledged, and not with the next one.",
        };
        var texts = new Option<bool>("--texts", "-t") { Description = "Show the texts too." };
        var command = new Command("tail",
            "Show events as they come, without taking them from the endpoint's bot; those of a subscription are taken. Needs a bot's key.")
        {
            endpoint, all, texts,
        }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var named = parsed.GetRequiredValue(endpoint);
            bool isSubscription = named.Contains("/subscriptions/", StringComparison.Ordinal)
                || (named.Contains('/') && !named.StartsWith("endpoints/", StringComparison.Ordinal));
            if (isSubscription)
            {
                await foreach (var e in client.Bot().Subscription(SubscriptionsCommand.Name(named), cancellation))
                {
                    Show(parsed, e.Message, parsed.GetValue(texts));
                    await e.AckAsync(cancellation);
                }
                return ExitCode.Ok;
            }
            bool withTexts = parsed.GetValue(texts);
            await WatchAsync(client, EndpointNames.Endpoint(named), parsed.GetValue(all), e => Show(parsed, e, withTexts), cancellation);
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task WatchAsync(
        RelayClient client, string endpoint, bool fromOldest, Action<Event> show, CancellationToken cancellation)
    {
        ulong? after = null;
        if (!fromOldest)
        {
            var pull = new PullEventsRequest { Endpoint = endpoint, MaxEvents = 1 };
            after = (await client.CallAsync(o => client.EventStreams.PullEventsAsync(pull, o), cancellation)).LastSequence;
        }
        while (true)
        {
            var request = new WatchEventsRequest { Endpoint = endpoint };
            if (after is { } cursor) request.AfterSequence = cursor;
            using var call = client.EventStreams.WatchEvents(request, cancellationToken: cancellation);
            try
            {
                await foreach (var response in call.ResponseStream.ReadAllAsync(cancellation))
                {
                    if (response.Event is not { } e) continue;
                    show(e);
                    after = e.Sequence;
                }
            }
            catch (RpcException e)
            {
                // A signal comes out of the call as a status of its own.
                cancellation.ThrowIfCancellationRequested();
                if (e.StatusCode != StatusCode.Unavailable) throw RelayException.From(e);
                await Task.Delay(s_pause, cancellation);
            }
        }
    }

    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    private static void Show(ParseResult parsed, Event e, bool withTexts)
    {
        if (parsed.GetValue(CommonOptions.Json))
        {
            if (!withTexts && e.TextReceived is not null) e.TextReceived.Text = "";
            if (!withTexts && e.FileChanged is not null) e.FileChanged.File.FileName = "";
            Report.JsonLine(Report.ToNode(e));
            return;
        }
        Console.Out.WriteLine($"{e.Time.ToDateTime():u}  {Report.Safe(e.Peer),-30} {Sentence(e, withTexts)}");
    }

    private static string Sentence(Event e, bool withTexts) => e.EventCase switch
    {
        Event.EventOneofCase.TextReceived => (e.TextReceived.Encrypted ? "private text" : "text in the clear")
            + (e.TextReceived.PeerVerified ? ", verified" : "") + (withTexts ? $": {Report.Safe(e.TextReceived.Text)}" : ""),
        Event.EventOneofCase.SessionChanged => Sentence(e.SessionChanged),
        Event.EventOneofCase.MessageDropped => $"a held message was not sent ({e.MessageDropped.Reason})",
        Event.EventOneofCase.MessageChanged => $"a message is now {e.MessageChanged.Message.State}"
            + (e.MessageChanged.Message.Reason.Length > 0 ? $" ({e.MessageChanged.Message.Reason})" : ""),
        Event.EventOneofCase.Notice => $"notice {e.Notice.Code}"
            + (withTexts && e.Notice.Text.Length > 0 ? $": {Report.Safe(e.Notice.Text)}" : ""),
        Event.EventOneofCase.VerificationChanged => $"verification {e.VerificationChanged.Verification.State}",
        Event.EventOneofCase.IdentityChanged => $"trust in a key is now {e.IdentityChanged.Identity.Trust}",
        Event.EventOneofCase.FileChanged => $"a file of {e.FileChanged.File.Size} bytes is {e.FileChanged.File.State}"
            + (withTexts ? $": {Report.Safe(e.FileChanged.File.FileName)}" : ""),
        _ => $"{e.EventCase}",
    };

    private static string Sentence(SessionChanged changed) =>
        $"session {changed.Session.State.ToString().ToLowerInvariant()} ({changed.Cause})"
        + (changed.FingerprintChanged ? ", with another key than before" : changed.FingerprintIsNew ? ", with a new key" : "");
}
