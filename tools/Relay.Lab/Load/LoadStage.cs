using System.Diagnostics;
using System.Globalization;
using Otr.Core;
using Relay.Cli;
using Relay.Client;
using Relay.V1;

namespace Relay.Lab.Load;

/// <summary>
/// Creates the endpoints, keys and clients of a <see cref="ConversationLoad"/>, and owns it. At its end the keys are revoked; the endpoints
/// stay, because the API deletes none.
/// </summary>
internal sealed class LoadStage : IAsyncDisposable
{
    /// <summary>The network of the endpoints, by which those of an earlier load are known.</summary>
    private const string Network = "load";
    private static readonly TimeSpan s_revokePatience = TimeSpan.FromSeconds(10);

    private readonly List<RelayClient> _clients = [];
    private readonly List<string> _left = [];
    private readonly DsaPrivateKey _contactKey = DsaPrivateKey.Generate(SystemRandom.Instance);
    private LoadOptions _options;
    private LoadKeys? _keys;

    /// <summary>Creates nothing on the server yet. The owner disposes of the stage also if <see cref="PrepareAsync"/> fails.</summary>
    public LoadStage(LoadOptions options) => _options = options;

    public ConversationLoad Load { get; private set; } = null!;

    public RelayClient Admin { get; private set; } = null!;

    /// <summary>Resource names.</summary>
    public IReadOnlyList<string> Endpoints { get; private set; } = [];

    /// <summary>The resource names of endpoints that this stage has created, or asked the server to create. They stay.</summary>
    public IReadOnlyList<string> EndpointsLeft => _left;

    /// <summary>After the stage was disposed of: which keys are still valid, and why; null if none is.</summary>
    public string? KeysLeft { get; private set; }

    /// <summary>Creates a stage and prepares it.</summary>
    /// <param name="connect">Connects a client with a key, to be used by the administrator (0), the bot (1) or the bridge (2).</param>
    public static async Task<LoadStage> OpenAsync(
        Func<RelayKey, int, RelayClient> connect, RelayKey admin, LoadOptions options, CancellationToken cancellation)
    {
        var stage = new LoadStage(options);
        try
        {
            await stage.PrepareAsync(connect, admin, cancellation);
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc cref="OpenAsync"/>
    public async Task PrepareAsync(Func<RelayKey, int, RelayClient> connect, RelayKey admin, CancellationToken cancellation)
    {
        Admin = Keep(connect(admin, 0));
        Endpoints = _options.ExistingEndpoint is { } existing
            ? [await FindEndpointAsync(existing, cancellation)]
            : await Task.WhenAll(Enumerable.Range(1, _options.Endpoints).Select(n => CreateEndpointAsync(n, cancellation)));
        _keys = new LoadKeys(Admin, Endpoints, _options.KeyLifetime);
        var bot = Keep(connect(await _keys.CreateAsync(Scope.Bot, cancellation), 1));
        var bridge = Keep(connect(await _keys.CreateAsync(Scope.Bridge, cancellation), 2));
        Load = await ConversationLoad.StartAsync(bot, bridge, _options, Endpoints, c => MakePeerAsync(c, cancellation));
    }

    public async ValueTask DisposeAsync()
    {
        if (Load is not null) await Load.DisposeAsync();
        if (_keys is not null) await RevokeAsync(_keys);
        foreach (var client in _clients) await client.DisposeAsync();
        _contactKey.Dispose();
    }

    private async Task RevokeAsync(LoadKeys keys)
    {
        using var patience = new CancellationTokenSource(s_revokePatience);
        try
        {
            await keys.RevokeAsync(patience.Token);
        }
        catch (Exception e) when (e is RelayException or OperationCanceledException)
        {
            var cause = e is RelayException refused ? refused.Code.ToString() : "no answer";
            KeysLeft = $"The keys named '{keys.Name}' could not be revoked ({cause}): they give access to "
                + $"{string.Join(' ', Endpoints)} until {keys.Expiry:u}. "
                + "'relay keys list' shows them, and 'relay keys revoke' revokes them.";
        }
    }

    private RelayClient Keep(RelayClient client)
    {
        _clients.Add(client);
        return client;
    }

    private async Task<string> FindEndpointAsync(string name, CancellationToken cancellation)
    {
        var request = new GetEndpointRequest { Name = name };
        var endpoint = await Admin.CallAsync(o => Admin.Endpoints.GetEndpointAsync(request, o), cancellation);
        // The bot and the bridge of a load take everything that waits at the endpoint.
        if (endpoint.Network != Network)
            throw new CommandFailure(ExitCode.Usage, $"{name} is not of an earlier load: its network is not '{Network}'.",
                "Name an endpoint that 'relay load' has left, or omit --endpoint.");
        _options = _options with { MaxWireBytes = (int)endpoint.MaxWireBytes };
        return endpoint.Name;
    }

    private async Task<string> CreateEndpointAsync(int number, CancellationToken cancellation)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{_options.EndpointPrefix}{number}");
        var request = new CreateEndpointRequest
        {
            RequestId = id,
            EndpointId = id,
            Network = Network,
            Account = id + "@load.example",
            MaxWireBytes = (uint)_options.MaxWireBytes,
        };
        // Before the call: its answer may be lost.
        lock (_left) _left.Add(EndpointNames.Endpoint(id));
        return (await Admin.CallAsync(o => Admin.Endpoints.CreateEndpointAsync(request, o), cancellation)).Name;
    }

    private async Task<ILoadPeer> MakePeerAsync(LoadConversation conversation, CancellationToken cancellation)
    {
        if (conversation.Number >= _options.LibotrContacts)
            return new CorePeer(_contactKey, 0x1000 + (uint)conversation.Number, _options.MaxWireBytes, conversation);
        var info = new ProcessStartInfo(_options.LibotrProgram!)
        {
            ArgumentList = { conversation.Peer, conversation.Endpoint }, UseShellExecute = false,
        };
        return await ProcessPeer.StartAsync(info, _options.MaxWireBytes, conversation, cancellation);
    }
}
