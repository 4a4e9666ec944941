using Relay.Client;
using Relay.V1;

namespace Relay.Lab.Demo;

/// <summary>The demo's bot: answers every text with the same text, and records its events in the transcript.</summary>
internal sealed class EchoBot(Bot bot, DemoTranscript transcript)
{
    public const string Prefix = "echo: ";

    public async Task RunAsync(CancellationToken cancellation)
    {
        await foreach (var e in bot.Events(cancellation))
        {
            switch (e.Message.EventCase)
            {
                case Event.EventOneofCase.TextReceived:
                    transcript.Add(Witness.Bot, Sight.Read, e.Text!, isPrivate: e.IsPrivate);
                    var answer = Prefix + e.Text;
                    transcript.Add(Witness.Bot, Sight.Wrote, answer);
                    if ((await e.ReplyAsync(answer, cancellation)).Refusal is { } refusal)
                        transcript.Add(Witness.Bot, Sight.Refused, refusal.Reason);
                    break;
                case Event.EventOneofCase.SessionChanged when e.Message.SessionChanged.Cause == SessionChanged.Types.Cause.KeyExchange:
                    transcript.Add(Witness.Bot, Sight.SessionBegan, Convert.ToHexStringLower(e.Message.SessionChanged.Session.Ssid.Span));
                    break;
                case Event.EventOneofCase.SessionChanged:
                    transcript.Add(Witness.Bot, Sight.SessionEnded, e.Message.SessionChanged.Cause.ToString());
                    break;
                case Event.EventOneofCase.MessageDropped:
                    transcript.Add(Witness.Bot, Sight.Refused, e.Message.MessageDropped.Reason);
                    break;
                case Event.EventOneofCase.Notice:
                    transcript.Add(Witness.Bot, Sight.Note, e.Message.Notice.Code);
                    break;
            }
            await e.AckAsync();
        }
    }
}
