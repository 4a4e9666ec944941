using System.Text;
using System.Text.Json;
using System.Diagnostics;
using System.Threading.Channels;
using Relay.Client;
using Relay.Gateway.Auth;
using Relay.Lab.Demo;
using Relay.Lab.OtrPeer;
using Relay.Lab.Processes;
using Relay.V1;

namespace Relay.Bridges.Tests.SmallMessages;

/// <summary>
/// A server process, one endpoint, its bot and its bridge over the public API, and libotr at the other end of a network whose messages
/// have 160 characters. The network may lose, repeat and reorder them.
/// </summary>
internal sealed class SmallMessageStage : IAsyncDisposable
{
    public const int Limit = 160;
    public const string Endpoint = "endpoints/bot", Contact = "+491700000000", Secret = "correct horse";
    public const string Question = "Where did we meet last summer?";

    private readonly string _directory = Directory.CreateTempSubdirectory("relay-sms-").FullName;
    private readonly List<JsonElement> _heard = [];
    private readonly List<string> _received = [], _verifications = [];
    private readonly List<RelayClient> _clients = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<byte[]> _toRelay = Channel.CreateUnbounded<byte[]>();
    private readonly List<Task> _running = [];
    private ServerProcess _server = null!;
    private ContactProcess _contact = null!;
    private int _longest, _carried;
    private long _ids;

    /// <summary>The network's faults in each direction.</summary>
    public Faults ToContact { get; } = new();

    /// <inheritdoc cref="ToContact"/>
    public Faults ToRelay { get; } = new();

    public Bot Bot { get; private set; } = null!;

    /// <summary>The longest message that Relay gave the bridge, in bytes, and the number of all.</summary>
    public (int Longest, int Count) Carried => (_longest, _carried);

    public static async Task<SmallMessageStage> StartAsync(int version)
    {
        var stage = new SmallMessageStage();
        try
        {
            await stage.SetUpAsync(version);
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    /// <summary>Private texts that the contact's program showed, and texts that the bot was given.</summary>
    public IReadOnlyList<string> HeardByContact => Heard(encrypted: true);

    /// <summary>What the contact's program showed as not private.</summary>
    public IReadOnlyList<string> InTheClear => Heard(encrypted: false);

    /// <inheritdoc cref="HeardByContact"/>
    public IReadOnlyList<string> HeardByBot
    {
        get
        {
            lock (_received) return [.. _received];
        }
    }

    public Task DoAsync(string command) => _contact.RunAsync(command, _stop.Token, mayFail: true);

    public Task SayAsync(string text) => DoAsync("send " + Convert.ToBase64String(Encoding.UTF8.GetBytes(text)));

    /// <summary>What a person without a button types: a query of the network's size.</summary>
    public void Ask(int version) => Send(Encoding.ASCII.GetBytes($"?OTRv{version}?"));

    public int TimesSecure => Count(e => Kind(e) == "state" && e.GetProperty("cause").GetString() is "gone-secure" or "still-secure");

    public int TimesVerified => Count(e => Kind(e) == "smp" && e.GetProperty("what").GetString() == "success");

    public bool IsAsked(string? question) => Count(e => Kind(e) == "smp" && (question is null
        ? e.GetProperty("what").GetString() == "ask-secret"
        : e.TryGetProperty("question", out var asked) && asked.GetString() == question)) > 0;

    /// <summary>Verifications that the bot was told to have succeeded.</summary>
    public int TimesVerifiedByBot
    {
        get
        {
            lock (_received) return _verifications.Count(v => v == nameof(Verification.Types.State.Succeeded));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var task in _running) await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var client in _clients) await client.DisposeAsync();
        if (_contact is not null) await _contact.DisposeAsync();
        if (_server is not null) await _server.DisposeAsync();
        _stop.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task SetUpAsync(int version)
    {
        var peer = Directory.CreateDirectory(Path.Combine(_directory, "peer")).FullName;
        var found = LibotrPeer.TryBuild(peer, out var program, out var reason);
        Assert.SkipUnless(found, reason);
        _server = await ServerProcess.StartAsync(
            Path.Combine(_directory, "data"), "127.0.0.1:0", Path.Combine(_directory, "relay.log"), null, _stop.Token, "--shards", "4");
        var admin = Connect(Path.Combine(_directory, "data", AdminKey.FileName));
        await admin.CallAsync(o => admin.Endpoints.CreateEndpointAsync(new CreateEndpointRequest
        {
            RequestId = "create", EndpointId = "bot", Network = "sms", Account = "+491600000000", MaxWireBytes = Limit,
            Policy = new Policy { AllowV2 = version == 2, AllowV3 = version == 3 },
        }, o));
        Bot = (await ConnectAsync(admin, Scope.Bot)).Bot(Endpoint);
        await Bot.SetAnswerSecretAsync(Endpoint, Secret);
        var bridge = (await ConnectAsync(admin, Scope.Bridge)).Bridge(Endpoint);
        _contact = await ContactProcess.StartAsync(
            new ProcessStartInfo(program, [Contact, "bot"]) { UseShellExecute = false }, OnEventAsync, _stop.Token);
        await DoAsync($"policy v{version} require-encryption");
        await DoAsync($"fragment {Limit}");
        _running.AddRange([CarryOutAsync(bridge), CarryInAsync(bridge), ListenAsync()]);
    }

    private RelayClient Connect(string keyFile)
    {
        var client = RelayClient.Connect(_server.Address, RelayKey.FromFile(keyFile));
        _clients.Add(client);
        return client;
    }

    private async Task<RelayClient> ConnectAsync(RelayClient admin, Scope scope)
    {
        var request = new CreateApiKeyRequest { RequestId = $"{scope}", Scopes = { scope } };
        var key = await admin.CallAsync(o => admin.Admin.CreateApiKeyAsync(request, o));
        var file = Path.Combine(_directory, $"{scope}.key");
        await File.WriteAllTextAsync(file, key.Token);
        return Connect(file);
    }

    private async Task CarryOutAsync(Bridge bridge)
    {
        await foreach (var message in bridge.Outbound(_stop.Token))
        {
            (_longest, _carried) = (Math.Max(_longest, message.Text.Length), _carried + 1);
            foreach (var text in ToContact.Through(message.Text.ToArray())) await _contact.ReceiveAsync(text, _stop.Token);
            await message.AckAsync();
        }
    }

    private async Task CarryInAsync(Bridge bridge)
    {
        await foreach (var message in _toRelay.Reader.ReadAllAsync(_stop.Token))
        {
            // A repetition is another message to the network: its id is another.
            foreach (var text in ToRelay.Through(message))
                await bridge.DeliverAsync(Contact, $"sms-{Interlocked.Increment(ref _ids)}", text, cancellation: _stop.Token);
        }
    }

    private async Task ListenAsync()
    {
        await foreach (var e in Bot.Events(_stop.Token))
        {
            lock (_received)
            {
                if (e is TextEvent { IsPrivate: true } text) _received.Add(text.Text);
                else if (e is TextEvent) _received.Add("in the clear: " + e.Text);
                if (e is VerificationEvent verification) _verifications.Add($"{verification.State}");
            }
            await e.AckAsync();
        }
    }

    private void Send(byte[] wire) => _toRelay.Writer.TryWrite(wire);

    private ValueTask OnEventAsync(JsonElement e)
    {
        if (Kind(e) == "wire") Send(e.GetProperty("data").GetBytesFromBase64());
        else lock (_heard) _heard.Add(e);
        return ValueTask.CompletedTask;
    }

    private int Count(Func<JsonElement, bool> isOne)
    {
        lock (_heard) return _heard.Count(isOne);
    }

    private string[] Heard(bool encrypted)
    {
        lock (_heard)
        {
            return [.. _heard.Where(e => Kind(e) == "plain" && e.GetProperty("encrypted").GetBoolean() == encrypted)
                .Select(e => Encoding.UTF8.GetString(e.GetProperty("data").GetBytesFromBase64()))];
        }
    }

    private static string Kind(JsonElement e) => e.GetProperty("event").GetString()!;
}

/// <summary>What a network does to messages on their way, drawn from a seed: it loses, repeats and reorders them.</summary>
internal sealed class Faults
{
    private readonly Lock _lock = new();
    private Random _random = new(0);
    private double _rate;
    private byte[]? _late;

    /// <summary>From now on.</summary>
    /// <param name="rate">Probability of each kind of fault for each message; 0: none.</param>
    public void Set(int seed, double rate)
    {
        lock (_lock) (_random, _rate) = (new Random(seed), rate);
    }

    /// <summary>How many there have been.</summary>
    public int Count { get; private set; }

    /// <summary>What arrives of a message, and of the one before it, which may be late.</summary>
    public List<byte[]> Through(byte[] message)
    {
        lock (_lock)
        {
            List<byte[]> arriving = [];
            if (Happens())
            {
                // Lost; or late, behind the next one.
                if (_random.Next(2) == 0) _late = message;
                return arriving;
            }
            arriving.Add(message);
            if (Happens()) arriving.Add(message);
            if (_late is { } late) arriving.Add(late);
            _late = null;
            return arriving;
        }
    }

    private bool Happens()
    {
        var happens = _random.NextDouble() < _rate;
        if (happens) Count++;
        return happens;
    }
}
