using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Otr.Core;
using Relay.Cli;
using Relay.Client;
using Relay.V1;

namespace Relay.Lab.Load;

/// <summary>
/// Creates the endpoints, keys and clients of a <see cref="ConversationLoad"/>, and owns it. At its end the keys are removed, and the
/// endpoints that it has created are purged.
/// </summary>
internal sealed class LoadStage : IAsyncDisposable
{
    /// <summary>The network of the endpoints, by which those of an earlier load are known.</summary>
    private const string Network = "load";
    private static readonly TimeSpan s_cleanUpPatience = TimeSpan.FromSeconds(10);

    private readonly List<RelayClient> _clients = [];
    private readonly List<CreateEndpointRequest> _asked = [];
    private readonly DsaPrivateKey _contactKey = DsaPrivateKey.Generate(SystemRandom.Instance);
    private LoadOptions _options;
    private LoadKeys? _keys;

    /// <summary>Creates nothing on the server yet. The owner disposes of the stage also if <see cref="PrepareAsync"/> fails.</summary>
    public LoadStage(LoadOptions options) => _options = options;

    public ConversationLoad Load { get; private set; } = null!;

    public RelayClient Admin { get; private set; } = null!;

    /// <summary>Resource names.</summary>
    public IReadOnlyList<string> Endpoints { get; private set; } = [];

    /// <summary>
    /// The resource names of endpoints that this stage has created, or asked the server to create, and not yet deleted; none after it was
    /// disposed of, unless the server refused or did not answer.
    /// </summary>
    public IReadOnlyList<string> EndpointsLeft => [.. _asked.Select(r => EndpointNames.Endpoint(r.EndpointId))];

    /// <summary>After the stage was disposed of: what is still there of keys and endpoints, and why; null if nothing is.</summary>
    public string? Left { get; private set; }

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
        await CleanUpAsync();
        foreach (var client in _clients) await client.DisposeAsync();
        _contactKey.Dispose();
    }

    private async Task CleanUpAsync()
    {
        using var patience = new CancellationTokenSource(s_cleanUpPatience);
        bool areKeysLeft = _keys is not null;
        try
        {
            if (_keys is not null) await _keys.RemoveAsync(patience.Token);
            areKeysLeft = false;
            while (_asked.Count > 0) await DeleteEndpointAsync(patience.Token);
        }
        catch (Exception e) when (e is RelayException or OperationCanceledException)
        {
            var cause = e is RelayException refused ? refused.Code.ToString() : "no answer";
            var endpoints = EndpointsLeft.Count == 0 ? ""
                : $"It leaves {string.Join(' ', EndpointsLeft)}, which could not be deleted ({cause}): "
                    + "'relay endpoints delete --purge' deletes one, and another run can use it with --endpoint.";
            Left = areKeysLeft
                ? $"The keys named '{_keys!.Name}' could not be revoked ({cause}): they give access to "
                    + $"{string.Join(' ', Endpoints)} until {_keys.Expiry:u}. "
                    + $"'relay keys list' shows them, and 'relay keys revoke' revokes them. {endpoints}".TrimEnd()
                : endpoints;
        }
    }

    /// <summary>
    /// Purges the last endpoint that was asked for. Whether it was made may be unknown: the same request is made again, which then says so,
    /// and cannot come to be done afterwards.
    /// </summary>
    private async Task DeleteEndpointAsync(CancellationToken cancellation)
    {
        var asked = _asked[^1];
        var request = new DeleteEndpointRequest { Name = EndpointNames.Endpoint(asked.EndpointId), Purge = true };
        try
        {
            await Admin.CallAsync(o => Admin.Endpoints.CreateEndpointAsync(asked, o), cancellation);
            await Admin.CallAsync(o => Admin.Endpoints.DeleteEndpointAsync(request, o), cancellation);
        }
        catch (RelayException e) when (e.Code is StatusCode.InvalidArgument or StatusCode.AlreadyExists or StatusCode.NotFound)
        {
            // Nothing of ours is there: it was never made, or is deleted already.
        }
        _asked.RemoveAt(_asked.Count - 1);
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
            throw new CommandFailure(ExitCode.Usage, $"{name} is not for loads: its network is not '{Network}'.",
                "Name one whose network is 'load', or omit --endpoint.");
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
        lock (_asked) _asked.Add(request);
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
