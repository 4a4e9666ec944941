using Relay.Client;
using Relay.V1;

namespace Relay.Gateway.Tests.Harness;

/// <summary>A chat network with its bridge: carries between contacts and one endpoint, in order, until disposed of.</summary>
public sealed class Network : IAsyncDisposable
{
    private readonly Bridge _bridge;
    private readonly IReadOnlyDictionary<string, Contact> _contacts;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running;
    private int _ids;

    public Network(RelayClient client, string endpoint, params Contact[] contacts)
    {
        _bridge = client.Bridge(endpoint);
        _contacts = contacts.ToDictionary(c => c.Address);
        _running = [CarryOutAsync(), .. contacts.Select(CarryInAsync)];
    }

    /// <summary>Results of inbound messages, in order of arrival.</summary>
    public List<InboundResult> Results { get; } = [];

    public List<byte[]> Carried { get; } = [];

    /// <summary>Fails if the bridge did.</summary>
    public Task Fault => Task.WhenAny(_running).Unwrap();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _bridge.DisposeAsync();
        await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task CarryInAsync(Contact contact)
    {
        await foreach (var wire in contact.Wire.ReadAllAsync(_stop.Token))
        {
            var result = await _bridge.DeliverAsync(contact.Address, $"id-{Interlocked.Increment(ref _ids)}", wire, cancellation: _stop.Token);
            lock (Results) Results.Add(result);
        }
    }

    private async Task CarryOutAsync()
    {
        await foreach (var message in _bridge.Outbound(_stop.Token))
        {
            lock (Carried) Carried.Add(message.Text.ToArray());
            if (_contacts.TryGetValue(message.Peer, out var contact)) contact.Receive(message.Text);
            await message.AckAsync();
        }
    }
}
