using System.Net.Http.Headers;
using System.Net.Http.Json;
using Relay.Cli;
using Relay.Client;
using Relay.V1;

namespace Relay.Lab.Bench.Server;

/// <summary>One of the ways in which a bot sends a text.</summary>
internal interface ISending : IAsyncDisposable
{
    Task SendAsync(string endpoint, string peer, string text);
}

/// <summary>A unary gRPC call.</summary>
internal sealed class GrpcSending(EmbeddedStage stage, string token) : ISending
{
    private readonly RelayClient _client = RelayClient.Connect(stage.Server.Address, RelayKey.Parse(token));

    public Task SendAsync(string endpoint, string peer, string text)
    {
        var request = new SendMessageRequest { RequestId = Guid.NewGuid().ToString("N"), Parent = endpoint, Peer = peer, Text = text };
        return _client.CallAsync(o => _client.Messages.SendMessageAsync(request, o), default);
    }

    public ValueTask DisposeAsync() => _client.DisposeAsync();
}

/// <summary>HTTP/1.1 with a JSON body.</summary>
internal sealed class HttpSending : ISending
{
    private const int Connections = 64;
    private readonly HttpClient _client;

    public HttpSending(EmbeddedStage stage, string token)
    {
        _client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = Connections })
        {
            BaseAddress = stage.Server.HttpAddress ?? throw new InvalidOperationException("The server serves no HTTP/1.1."),
        };
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public async Task SendAsync(string endpoint, string peer, string text)
    {
        using var response = await _client.PostAsJsonAsync(
            $"/v1/{endpoint}/messages", new { requestId = Guid.NewGuid().ToString("N"), peer, text });
        if (response.IsSuccessStatusCode) return;
        throw new CommandFailure(
            ExitCode.Failed, $"A message over HTTP was refused: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return default;
    }
}
