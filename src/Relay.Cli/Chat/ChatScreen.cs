using System.Globalization;
using System.Text.Json.Nodes;
using Relay.Cli.Verify;
using Relay.Client;
using Relay.V1;
using State = Relay.V1.Verification.Types.State;

namespace Relay.Cli.Chat;

/// <summary>Prints the events of a chat: lines for people, or JSON lines for machines.</summary>
internal abstract class ChatScreen
{
    public static ChatScreen Create(bool json, ChatTerminal terminal) => json ? new Lines() : new People(terminal, TimeProvider.System);

    public abstract void Hint(string text);
    public abstract void Help();
    /// <summary>The next line is the secret of a verification, and is not sent.</summary>
    /// <param name="answer">The peer's verification that it answers; null if it begins one.</param>
    public abstract void AsksForSecret(Verification? answer);
    /// <summary>Shows a fact that was asked for.</summary>
    public abstract void Told(string name, string value);
    /// <summary>A line was not sent, because it begins with a slash and is no command.</summary>
    public abstract void Unknown(string word);
    public abstract void Sent(string text, SendMessageResponse.Types.Disposition disposition);
    public abstract void Refused(RelayException e);
    public abstract void Event(Event e);

    private static string UnknownText(string word) => $"{word} is no command and was not sent.";

    private sealed class Lines : ChatScreen
    {
        public override void Hint(string text) { }

        public override void Help() => Report.JsonLine(new JsonObject { ["help"] = ChatLine.CommandsInLine });

        public override void AsksForSecret(Verification? answer)
        {
            var asks = new JsonObject { ["for"] = answer is null ? "secret" : "answer" };
            if (answer is not null) (asks["verification"], asks["question"]) = (answer.Name, answer.Question);
            Report.JsonLine(new JsonObject { ["asks"] = asks });
        }

        public override void Told(string name, string value) => Report.JsonLine(new JsonObject { ["told"] = new JsonObject { [name] = value } });

        public override void Unknown(string word) =>
            Report.JsonLine(new JsonObject
            {
                ["refused"] = new JsonObject { ["reason"] = "UNKNOWN_COMMAND", ["message"] = $"{UnknownText(word)} {ChatLine.CommandsInLine}" },
            });

        public override void Sent(string text, SendMessageResponse.Types.Disposition disposition) =>
            Report.JsonLine(new JsonObject
            {
                ["sent"] = new JsonObject { ["text"] = text, ["disposition"] = disposition.ToString().ToUpperInvariant() },
            });

        public override void Refused(RelayException e) =>
            Report.JsonLine(new JsonObject { ["refused"] = new JsonObject { ["reason"] = e.Reason, ["message"] = e.Message } });

        public override void Event(Event e) => Report.JsonLine(new JsonObject { ["event"] = Report.ToNode(e) });
    }

    private sealed class People(ChatTerminal terminal, TimeProvider time) : ChatScreen
    {
        /// <summary>Writes a line with the time of day.</summary>
        private void Write(string line) => Write(line, time.GetLocalNow());

        private void Write(string line, DateTimeOffset at) =>
            terminal.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{at:HH:mm} {line}"));

        public override void Help()
        {
            foreach (var (name, does) in ChatLine.Commands) Hint($"{name,-16} {does}");
        }

        public override void AsksForSecret(Verification? answer)
        {
            if (answer is not null) Hint(answer.Question.Length > 0 ? $"The peer asks: {answer.Question}" : "The peer asks for the shared secret.");
            Hint("What you type is not shown. An empty line leaves it.");
        }

        public override void Told(string name, string value) => terminal.WriteLine($"· {name,-11} {Report.Safe(value)}");

        public override void Unknown(string word) => Write($"✗ {Report.Safe(UnknownText(word))} /help lists the commands.");

        public override void Hint(string text) => terminal.WriteLine($"· {Report.Safe(text)}");

        public override void Sent(string text, SendMessageResponse.Types.Disposition disposition)
            => Write(disposition switch
        {
            SendMessageResponse.Types.Disposition.Encrypted => "  ↑ sent, encrypted",
            SendMessageResponse.Types.Disposition.Held => "  ↑ held: it is sent when the private session is established",
            _ => "  ↑ sent IN THE CLEAR",
        });

        public override void Refused(RelayException e) => Write($"✗ {Report.Safe(e.Message)}");

        public override void Event(Event e) => Write(e.EventCase switch
        {
            Relay.V1.Event.EventOneofCase.TextReceived when e.TextReceived.Encrypted => $"🔒 {Report.Safe(e.TextReceived.Text)}",
            Relay.V1.Event.EventOneofCase.TextReceived => $"⚠ in the clear: {Report.Safe(e.TextReceived.Text)}",
            Relay.V1.Event.EventOneofCase.SessionChanged => "· " + Session(e.SessionChanged),
            Relay.V1.Event.EventOneofCase.MessageDropped => $"✗ A held message was not sent: {Report.Safe(e.MessageDropped.Reason)}",
            Relay.V1.Event.EventOneofCase.Notice => $"! {Report.Safe(e.Notice.Code)} {Report.Safe(e.Notice.Text)}",
            Relay.V1.Event.EventOneofCase.VerificationChanged => "· " + Verification(e.VerificationChanged.Verification),
            Relay.V1.Event.EventOneofCase.IdentityChanged => e.IdentityChanged.Identity.Trust == Trust.Verified
                ? "· The peer's key is verified." : "· The peer's key is not verified any more.",
            Relay.V1.Event.EventOneofCase.MessageChanged =>
                Report.Safe($"· A message is now {e.MessageChanged.Message.State} {e.MessageChanged.Message.Reason}".TrimEnd()),
            _ => $"· {e.EventCase}",
        }, e.Time.ToDateTimeOffset().ToLocalTime());

        private static string Verification(Verification v) => v.State switch
        {
            State.WaitingForAnswer when v.Question.Length > 0 => $"The peer verifies you and asks: {Report.Safe(v.Question)} — /verify answers, /cancel declines.",
            State.WaitingForAnswer => "The peer verifies you by a shared secret. /verify answers, /cancel declines.",
            State.WaitingForPeer => string.Create(CultureInfo.InvariantCulture,
                $"The peer is asked, until {v.ExpireTime.ToDateTimeOffset().ToLocalTime():HH:mm}. /cancel cancels."),
            State.Running => "Both have entered their secrets.",
            _ => VerificationRun.Result(v),
        };

        private static string Session(SessionChanged s) => s.Cause switch
        {
            SessionChanged.Types.Cause.KeyExchange =>
                $"A private session is established (OTR version {s.Session.ProtocolVersion}). "
                + $"The peer's key: {EndpointNames.Fingerprint(s.Session.PeerFingerprint)}"
                + (s.FingerprintChanged ? " — NOT the previous key: do not trust the peer until you have compared it."
                    : s.FingerprintIsNew ? " — new: compare it over another channel." : ""),
            SessionChanged.Types.Cause.EndedByPeer
                => "The peer has ended the private session. Nothing is sent until you /end it too or /start a new one.",
            SessionChanged.Types.Cause.EndedByUs => "The private session has ended.",
            SessionChanged.Types.Cause.Expired => "The private session has expired.",
            _ => "The session changed.",
        };
    }
}
