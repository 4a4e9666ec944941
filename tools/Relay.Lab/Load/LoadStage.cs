using System.Diagnostics;
using System.Globalization;
using Otr.Core;
using Relay.Client;
using Relay.V1;

namespace Relay.Lab.Load;

/// <summary>Creates the endpoints, keys and clients of a <see cref="ConversationLoad"/>, and owns it.</summary>
internal sealed class LoadStage : IAsyncDisposable
{
    private readonly List<RelayClient> _clients = [];
    private readonly DsaPrivateKey _contactKey = DsaPrivateKey.Generate(SystemRandom.Instance);
    private readonly LoadOptions _options;

    private LoadStage(LoadOptions options) => _options = options;

    public ConversationLoad Load { get; private set; } = null!;

    public RelayClient Admin { get; private set; } = null!;

    /// <summary>Resource names.</summary>
    public IReadOnlyList<string> Endpoints { get; private set; } = [];

    /// <param name="connect">Connects a client with a key, to be used by the administrator (0), the bot (1) or the bridge (2).</param>
    public static async Task<LoadStage> OpenAsync(
        Func<RelayKey, int, RelayClient> connect, RelayKey admin, LoadOptions options, CancellationToken cancellation)
    {
        var stage = new LoadStage(options);
        try
        {
            stage.Admin = stage.Keep(connect(admin, 0));
            stage.Endpoints = await Task.WhenAll(
                Enumerable.Range(1, options.Endpoints).Select(n => stage.CreateEndpointAsync(n, cancellation)));
            var bot = stage.Keep(connect(await stage.CreateKeyAsync(Scope.Bot, cancellation), 1));
            var bridge = stage.Keep(connect(await stage.CreateKeyAsync(Scope.Bridge, cancellation), 2));
            stage.Load = await ConversationLoad.StartAsync(bot, bridge, options, stage.Endpoints,
                c => stage.MakePeerAsync(c, cancellation));
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Load is not null) await Load.DisposeAsync();
        foreach (var client in _clients) await client.DisposeAsync();
        _contactKey.Dispose();
    }

    private RelayClient Keep(RelayClient client)
    {
        _clients.Add(client);
        return client;
    }

    private async Task<string> CreateEndpointAsync(int number, CancellationToken cancellation)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{_options.EndpointPrefix}{number}");
        var request = new CreateEndpointRequest
        {
            RequestId = id,
            EndpointId = id,
            Network = "load",
            Account = id + "@load.example",
            MaxWireBytes = (uint)_options.MaxWireBytes,
        };
        return (await Admin.CallAsync(o => Admin.Endpoints.CreateEndpointAsync(request, o), cancellation)).Name;
    }

    private async Task<RelayKey> CreateKeyAsync(Scope scope, CancellationToken cancellation)
    {
        var request = new CreateApiKeyRequest { RequestId = Guid.NewGuid().ToString("N"), Scope = scope, DisplayName = $"load {scope}" };
        return RelayKey.Parse((await Admin.CallAsync(o => Admin.Admin.CreateApiKeyAsync(request, o), cancellation)).Token);
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
