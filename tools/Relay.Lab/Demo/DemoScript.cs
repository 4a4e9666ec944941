using System.Globalization;
using System.Text;
using Relay.Cli;
using Relay.Client;
using Relay.V1;

namespace Relay.Lab.Demo;

/// <summary>Runs the demo's steps in order, waits for the effects of each, and records what the checks need.</summary>
internal sealed class DemoScript(DemoStage stage, DemoTranscript transcript, IDemoAudience audience, string contactImplementation)
{
    private const int FragmentsBeforeKill = 3;
    /// <summary>Timeout of each wait; long, because the demo may share a small machine with a build.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly List<string> _fromContact = [];
    private ContactProcess _contact = null!;
    private DemoNetwork _network = null!;
    private RelayClient _admin = null!;
    private RelayClient _bot = null!;
    private Task _echo = Task.CompletedTask;

    public DemoFacts Facts { get; } = new();

    public RelayClient Admin => _admin;

    public async Task RunAsync(CancellationToken cancellation)
    {
        await SetUpAsync(cancellation);
        await StartSessionAsync(cancellation);
        await TalkAsync(cancellation);
        await KillAndRestartAsync(cancellation);
        await EndAsync(cancellation);
    }

    private async Task SetUpAsync(CancellationToken cancellation)
    {
        audience.Chapter("1", "Setup",
            "Relay holds Off-the-Record (OTR) conversations on behalf of bots. A bot reads and writes plaintext; "
            + "a bridge carries wire text to and from a chat network; Relay holds the keys and sessions. "
            + "Everything here runs on this machine, on loopback, in a temporary directory.");
        await stage.StartServerAsync(cancellation);
        audience.Fact($"The server runs as process {stage.Server.Id} at {stage.Server.Address.GetLeftPart(UriPartial.Authority)}, "
            + $"with SQLite in {stage.DataDirectory}.");
        _admin = stage.Connect(stage.AdminKeyFile);
        var endpoint = await DemoStage.CreateEndpointAsync(_admin, DemoStage.EndpointId, DemoStage.BotAddress, cancellation);
        Facts.EndpointFingerprint = endpoint.Fingerprint;
        audience.Fact($"Endpoint {endpoint.Name} has the address {endpoint.Account}. Its key has the fingerprint "
            + $"{EndpointNames.Fingerprint(endpoint.Fingerprint)}.");
        await DemoStage.CreateKeyAsync(_admin, Scope.Bot, stage.BotKeyFile, cancellation);
        await DemoStage.CreateKeyAsync(_admin, Scope.Bridge, stage.BridgeKeyFile, cancellation);
        _bot = stage.Connect(stage.BotKeyFile);
        var bridge = stage.Connect(stage.BridgeKeyFile).Bridge(DemoStage.EndpointName);
        _network = new DemoNetwork(bridge, DemoStage.EndpointName, transcript);
        stage.Keep(bridge);
        stage.Keep(_network);
        _contact = await stage.StartContactAsync(contactImplementation, DemoStage.BotAddress, _network.OnContactEventAsync, cancellation);
        await _contact.RunAsync($"fragment {DemoStage.MaxWireBytes}", cancellation);
        _echo = stage.Run(stop => new EchoBot(_bot.Bot(DemoStage.EndpointName), transcript).RunAsync(stop));
        _network.Start(_contact);
        audience.Cast(_contact.Implementation);
        audience.Fact("Three programs are connected: an echo bot and a bridge over gRPC, each with an API key for its scope only, "
            + $"and an external contact, alice: {_contact.Implementation}, in a separate process with its own keys.");
    }

    private async Task StartSessionAsync(CancellationToken cancellation)
    {
        audience.Chapter("2", "Alice asks for privacy",
            "Alice's client sends a query, and both ends agree on keys by four messages, in which each proves its identity key. "
            + "From here on the network carries only ciphertext.");
        await ShowAsync(async () =>
        {
            await _contact.RunAsync("start", cancellation);
            await SeeAsync(Witness.Contact, Sight.SessionBegan, null, 1, cancellation);
            await SeeAsync(Witness.Bot, Sight.SessionBegan, null, 1, cancellation);
        });
    }

    private async Task TalkAsync(CancellationToken cancellation)
    {
        audience.Chapter("3", "They talk",
            $"Short texts, several scripts, and a long text: this network accepts {DemoStage.MaxWireBytes} bytes per message, "
            + "so 10 kB are sent in fragments, in both directions.");
        await ShowAsync(() => SayAndHearAsync("Hello! Is anybody there?", cancellation));
        await ShowAsync(() => SayAndHearAsync("Grüße aus Zürich · 你好 · שלום · привет · 🦊🔒 · naïve façade ẞ", cancellation));
        await ShowAsync(() => SayAndHearAsync(LongText("A long letter", 10_000), cancellation));
    }

    private async Task KillAndRestartAsync(CancellationToken cancellation)
    {
        audience.Chapter("4", "The server is killed",
            $"Alice sends another long message. After {FragmentsBeforeKill} of its fragments the server gets SIGKILL: "
            + "it cannot save anything. Alice does not notice, and keeps writing.");
        Facts.ProcessBefore = stage.Server.Id;
        var killed = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        int delivered = 0;
        _network.Delivered = async () =>
        {
            if (++delivered == FragmentsBeforeKill) killed.SetResult(await stage.KillServerAsync());
        };
        var letter = LongText("Written across a crash", 6_000);
        const string question = "Are you still there?";
        await ShowAsync(async () =>
        {
            await SayAsync(letter, cancellation);
            await WithNetworkAsync(killed.Task, cancellation);
            Facts.KillExitCode = await killed.Task;
            transcript.Add(Witness.Server, Sight.Note, $"SIGKILL: process {Facts.ProcessBefore} is gone");
            await SayAsync(question, cancellation);
            await stage.StartServerAsync(cancellation);
            _network.Delivered = null;
            Facts.ProcessAfter = stage.Server.Id;
            transcript.Add(Witness.Server, Sight.Note, $"started again as process {Facts.ProcessAfter}");
            await HearAsync(letter, cancellation);
            await HearAsync(question, cancellation);
        });
        Facts.Outage = DemoChecks.Outage(transcript.Entries);
        audience.Fact(string.Create(CultureInfo.InvariantCulture,
            $"The outage, from the kill to the first answer that Alice read: {Facts.Outage.TotalSeconds:0.0} s, the start included."));
        audience.Fact("The bridge and the bot reconnected. The half-received message was completed, nothing was lost or duplicated, "
            + "and no new key exchange was needed: every step was committed before any of its output was sent.");
        await ShowAsync(() => SayAndHearAsync("Good. Nothing missing on my side.", cancellation));
    }

    private async Task EndAsync(CancellationToken cancellation)
    {
        audience.Chapter("5", "The end",
            "Alice ends the session. Her client deletes its keys; Relay wipes its own. "
            + "A bot that tries to send another message is refused: nothing is sent unencrypted by accident.");
        await ShowAsync(async () =>
        {
            transcript.Add(Witness.Contact, Sight.Note, "ends the session");
            await _contact.RunAsync("end", cancellation);
            await SeeAsync(Witness.Bot, Sight.SessionEnded, null, 1, cancellation);
            int before = transcript.Count(Witness.WireOut, Sight.Carried);
            var outcome = await _bot.Bot().SendToAsync(
                DemoStage.EndpointName, DemoStage.ContactAddress, "One more thing …", cancellation: cancellation);
            if (outcome.Refusal is { } refusal)
            {
                Facts.RefusedAfterEnd = refusal.Reason;
                transcript.Add(Witness.Bot, Sight.Refused, $"wanted to write \"One more thing …\": {refusal.Reason}");
            }
            Facts.WireAfterEnd = transcript.Count(Witness.WireOut, Sight.Carried) - before;
        });
        Facts.Said = _fromContact;
    }

    private async Task SayAndHearAsync(string text, CancellationToken cancellation)
    {
        await SayAsync(text, cancellation);
        await HearAsync(text, cancellation);
    }

    private async Task SayAsync(string text, CancellationToken cancellation)
    {
        _fromContact.Add(text);
        transcript.Add(Witness.Contact, Sight.Wrote, text);
        await _contact.SendAsync(text, cancellation);
    }

    private async Task HearAsync(string text, CancellationToken cancellation)
    {
        await SeeAsync(Witness.Bot, Sight.Read, text, 1, cancellation);
        await SeeAsync(Witness.Contact, Sight.Read, EchoBot.Prefix + text, 1, cancellation);
    }

    private async Task SeeAsync(Witness witness, Sight sight, string? text, int count, CancellationToken cancellation) =>
        await WithNetworkAsync(transcript.WaitAsync(witness, sight, text, count, s_patience, cancellation), cancellation);

    /// <summary>Waits for a task, and fails at once if the bridge or the bot fails.</summary>
    private async Task WithNetworkAsync(Task task, CancellationToken cancellation)
    {
        var first = await Task.WhenAny(task, _network.Running, _echo).WaitAsync(cancellation);
        await first;
        await task;
    }

    /// <summary>Runs a step, and shows the entries that it added to the transcript.</summary>
    private async Task ShowAsync(Func<Task> step)
    {
        int from = transcript.Entries.Count;
        try
        {
            await step();
        }
        finally
        {
            audience.Show([.. transcript.Entries.Skip(from)]);
        }
    }

    private static string LongText(string title, int bytes)
    {
        var text = new StringBuilder(title).Append(':');
        for (int line = 1; Encoding.UTF8.GetByteCount(text.ToString()) < bytes; line++)
            text.Append($"\n{line:000} The quick brown fox – der schnelle Fuchs – 敏捷的狐狸.");
        return text.ToString();
    }
}
