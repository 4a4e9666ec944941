using Relay.Cli;
using Relay.Client;

namespace Relay.Lab.Bench.Server;

/// <summary>The network's side of a line: takes the contacts' wire text to Relay, and brings Relay's to the contacts.</summary>
internal interface ILoadCarrier : IAsyncDisposable
{
    /// <summary>
    /// Takes one wire text of a contact. Called in the order of the texts of each contact; completes when the next part has it, which is
    /// Relay itself only where nothing is between.
    /// </summary>
    /// <param name="id">Unique for the contact.</param>
    Task DeliverAsync(string endpoint, string peer, string id, ReadOnlyMemory<byte> wire);

    /// <summary>Brings wire text until it is cancelled.</summary>
    /// <param name="receive">Called with endpoint, peer and wire text, in order for each of them.</param>
    Task RunAsync(Action<string, string, ReadOnlyMemory<byte>> receive, CancellationToken cancellation);
}

/// <summary>No network at all: a bridge of the SDK in this process.</summary>
/// <param name="client">Disposed of with the carrier.</param>
internal sealed class SdkCarrier(RelayClient client, IReadOnlyList<string> endpoints) : ILoadCarrier
{
    private readonly Client.Bridge _bridge = client.Bridge([.. endpoints]);

    public async Task DeliverAsync(string endpoint, string peer, string id, ReadOnlyMemory<byte> wire)
    {
        var result = await _bridge.DeliverAsync(peer, id, wire, endpoint);
        if (result.RejectReason.Length > 0)
            throw new CommandFailure(ExitCode.Failed, $"Relay rejected a message of the load: {result.RejectReason}.");
    }

    public async Task RunAsync(Action<string, string, ReadOnlyMemory<byte>> receive, CancellationToken cancellation)
    {
        await foreach (var message in _bridge.Outbound(cancellation))
        {
            receive(message.Endpoint, message.Peer, message.Text);
            await message.AckAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _bridge.DisposeAsync();
        await client.DisposeAsync();
    }
}
