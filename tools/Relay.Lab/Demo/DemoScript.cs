using System.Text;
using Relay.Cli;
using Relay.Client;
using Relay.V1;

namespace Relay.Lab.Demo;

/// <summary>The play: what happens, in which order, and what each chapter waits for.</summary>
internal sealed class DemoScript(DemoStage stage, DemoTranscript transcript, IDemoAudience audience, string contactImplementation)
{
    private const int FragmentsBeforeKill = 3;
    /// <summary>Generous: the demo may share a small machine with a build.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly List<string> _fromContact = [];
    private ContactProcess _contact = null!;
    private DemoNetwork _network = null!;
    private RelayClient _admin = null!;
    private RelayClient _bot = null!;
    private Task _echo = Task.CompletedTask;

    /// <summary>What the checks need to know.</summary>
    public DemoFacts Facts { get; } = new();

    public RelayClient Admin => _admin;

    public async Task RunAsync(CancellationToken cancellation)
    {
        await SetTheStageAsync(cancellation);
        await BeginPrivacyAsync(cancellation);
        await TalkAsync(cancellation);
        await KillAndRestartAsync(cancellation);
        await EndAsync(cancellation);
    }

    private async Task SetTheStageAsync(CancellationToken cancellation)
    {
        audience.Chapter("1", "The stage",
            "Relay holds Off-the-Record (OTR) conversations for others. A bot reads and writes plaintext; a bridge carries wire text to and from "
            + "a chat network; Relay keeps the keys and the sessions between them. Everything here runs on this machine, on loopback, in a temporary directory.");
        await stage.StartServerAsync(cancellation);
        audience.Fact($"The server runs as process {stage.Server.Id} at {stage.Server.Address.GetLeftPart(UriPartial.Authority)}, with SQLite in {stage.DataDirectory}.");
        _admin = stage.Connect(stage.AdminKeyFile);
        var endpoint = await DemoStage.CreateEndpointAsync(_admin, DemoStage.EndpointId, DemoStage.BotAddress, cancellation);
        Facts.EndpointFingerprint = endpoint.Fingerprint;
        audience.Fact($"Endpoint {endpoint.Name} speaks for {endpoint.Account}. Its key has the fingerprint {EndpointNames.Fingerprint(endpoint.Fingerprint)}.");
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
        audience.Fact($"Three programs are connected: an echo bot and a bridge over gRPC, each with a key that opens only its half, and outside, alice: {_contact.Implementation}, in a process of its own with keys of its own.");
    }

    private async Task BeginPrivacyAsync(CancellationToken cancellation)
    {
        audience.Chapter("2", "Alice asks for privacy",
            "Alice's client sends a query, and the two ends agree on keys: four messages, each end proving its identity key. From here on the network carries nothing readable.");
        await PlayAsync(async () =>
        {
            await _contact.RunAsync("start", cancellation);
            await SeeAsync(Witness.Contact, Sight.SessionBegan, null, 1, cancellation);
            await SeeAsync(Witness.Bot, Sight.SessionBegan, null, 1, cancellation);
        });
    }

    private async Task TalkAsync(CancellationToken cancellation)
    {
        audience.Chapter("3", "They talk", $"Short, in many scripts, and long: this network takes {DemoStage.MaxWireBytes} bytes at once, so 10 kB travel in fragments, both ways.");
        await PlayAsync(() => SayAndHearAsync("Hello! Is anybody there?", cancellation));
        await PlayAsync(() => SayAndHearAsync("Grüße aus Zürich · 你好 · שלום · привет · 🦊🔒 · naïve façade ẞ", cancellation));
        await PlayAsync(() => SayAndHearAsync(LongText("A long letter", 10_000), cancellation));
    }

    private async Task KillAndRestartAsync(CancellationToken cancellation)
    {
        audience.Chapter("4", "The server is killed",
            $"Alice sends another long message. After {FragmentsBeforeKill} of its fragments the server gets SIGKILL: no warning, no chance to save. Alice does not know, and keeps writing.");
        Facts.ProcessBefore = stage.Server.Id;
        var killed = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        int delivered = 0;
        _network.Delivered = async () =>
        {
            if (++delivered == FragmentsBeforeKill) killed.SetResult(await stage.KillServerAsync());
        };
        var letter = LongText("Written across a crash", 6_000);
        const string question = "Are you still there?";
        await PlayAsync(async () =>
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
        audience.Fact("The bridge and the bot came back by themselves. The half-received message was finished, nothing was lost or doubled, and no new key exchange was needed: every step had been durable before a byte of it left.");
        await PlayAsync(() => SayAndHearAsync("Good. Nothing missing on my side.", cancellation));
    }

    private async Task EndAsync(CancellationToken cancellation)
    {
        audience.Chapter("5", "The end", "Alice ends the session. Her client forgets the keys; Relay wipes its own. A bot that goes on talking is refused: nothing leaves in the clear by accident.");
        await PlayAsync(async () =>
        {
            transcript.Add(Witness.Contact, Sight.Note, "ends the session");
            await _contact.RunAsync("end", cancellation);
            await SeeAsync(Witness.Bot, Sight.SessionEnded, null, 1, cancellation);
            int before = transcript.Count(Witness.WireOut, Sight.Carried);
            try
            {
                await _bot.Bot().SendToAsync(DemoStage.EndpointName, DemoStage.ContactAddress, "One more thing …", cancellation: cancellation);
            }
            catch (RelayException e)
            {
                Facts.RefusedAfterEnd = e.Reason;
                transcript.Add(Witness.Bot, Sight.Refused, $"wanted to write \"One more thing …\": {e.Reason}");
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

    /// <summary>Waits, but not for something that can no longer happen.</summary>
    private async Task WithNetworkAsync(Task task, CancellationToken cancellation)
    {
        var first = await Task.WhenAny(task, _network.Running, _echo).WaitAsync(cancellation);
        await first;
        await task;
    }

    /// <summary>Plays a scene, and shows what was seen of it.</summary>
    private async Task PlayAsync(Func<Task> scene)
    {
        int from = transcript.Entries.Count;
        try
        {
            await scene();
        }
        finally
        {
            audience.Show([.. transcript.Entries.Skip(from)]);
        }
    }

    private static string LongText(string title, int bytes)
    {
        var text = new StringBuilder(title).Append(':');
        for (int line = 1; Encoding.UTF8.GetByteCount(text.ToString()) < bytes; line++) text.Append($"\n{line:000} The quick brown fox – der schnelle Fuchs – 敏捷的狐狸.");
        return text.ToString();
    }
}
