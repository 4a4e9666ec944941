using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Relay.Client;

namespace Relay.Lab.Demo;

/// <summary>
/// Simulates the chat network and its bridge: carries wire text between the contact and Relay in both directions, and records
/// it in the transcript.
/// </summary>
internal sealed class DemoNetwork(Bridge bridge, string endpoint, DemoTranscript transcript) : IAsyncDisposable
{
    private readonly Channel<byte[]> _fromContact = Channel.CreateUnbounded<byte[]>();
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private int _messages;

    /// <summary>Called after each wire text of the contact that Relay has accepted.</summary>
    public Func<Task>? Delivered { get; set; }

    /// <summary>Fails if the bridge fails.</summary>
    public Task Running => _running;

    /// <summary>Handles an event of the contact; wire text is sent to Relay in the order of the calls.</summary>
    public ValueTask OnContactEventAsync(JsonElement e)
    {
        switch (e.GetProperty("event").GetString())
        {
            case "wire":
                _fromContact.Writer.TryWrite(e.GetProperty("data").GetBytesFromBase64());
                break;
            case "plain":
                transcript.Add(Witness.Contact, Sight.Read, Encoding.UTF8.GetString(e.GetProperty("data").GetBytesFromBase64()),
                    isPrivate: e.GetProperty("encrypted").GetBoolean());
                break;
            case "state" when e.GetProperty("state").GetString() == "ENCRYPTED":
                transcript.Add(Witness.Contact, Sight.SessionBegan, e.GetProperty("ssid").GetString() ?? "");
                break;
            case "state":
                transcript.Add(Witness.Contact, Sight.SessionEnded, e.GetProperty("state").GetString() ?? "");
                break;
            case "error":
                transcript.Add(Witness.Contact, Sight.Refused, e.GetProperty("code").GetString() ?? "");
                break;
        }
        return ValueTask.CompletedTask;
    }

    public void Start(ContactProcess contact) => _running = Task.WhenAll(CarryInAsync(_stop.Token), CarryOutAsync(contact, _stop.Token));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task CarryInAsync(CancellationToken cancellation)
    {
        await foreach (var wire in _fromContact.Reader.ReadAllAsync(cancellation))
        {
            transcript.Add(Witness.WireIn, Sight.Carried, "", wire);
            var result = await bridge.DeliverAsync(DemoStage.ContactAddress, $"m{++_messages}", wire, endpoint, cancellation: cancellation);
            if (result.RejectReason.Length > 0) transcript.Add(Witness.WireIn, Sight.Refused, result.RejectReason);
            if (Delivered is { } hook) await hook();
        }
    }

    private async Task CarryOutAsync(ContactProcess contact, CancellationToken cancellation)
    {
        await foreach (var message in bridge.Outbound(cancellation))
        {
            if (message.Endpoint != endpoint) continue;
            transcript.Add(Witness.WireOut, Sight.Carried, "", message.Text.ToArray());
            await contact.ReceiveAsync(message.Text, cancellation);
            await message.AckAsync();
        }
    }
}
