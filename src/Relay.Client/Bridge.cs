using System.Threading.Channels;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Relay.Client.Streams;
using Relay.V1;

namespace Relay.Client;

/// <summary>
/// Carries wire text between a chat network and Relay. Needs a key of scope bridge. An endpoint has one bridge at a time: a second one
/// takes over, and the first one's enumeration fails with reason STREAM_REPLACED.
/// </summary>
public sealed partial class Bridge : IAsyncDisposable
{
    private const int Buffered = 64;
    // Above what Relay accepts, and below what ends the stream: the beginning of a text that is too large is enough to reject it.
    private const int MaxSentBytes = 200_000;
    private readonly RelayClient _client;
    private readonly IReadOnlyList<string> _endpoints;
    private readonly Cursors _cursors;
    private readonly InboundQueue _inbound;
    private readonly BridgeOutgoing _outgoing;
    private readonly Channel<OutboundMessage> _messages = Channel.CreateBounded<OutboundMessage>(Buffered);
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _running;

    internal Bridge(RelayClient client, IReadOnlyList<string> endpoints)
    {
        (_client, _endpoints) = (client, endpoints);
        _cursors = new Cursors(endpoints);
        var wakeup = new Wakeup();
        _inbound = new InboundQueue(client.Options, wakeup);
        _outgoing = new BridgeOutgoing(_cursors, _inbound, wakeup);
        _running = RunAsync(new StreamLoop<StreamWireRequest, StreamWireResponse>(client.Options, client.Servers,
            o => client.BridgeStreams.StreamWire(o), _outgoing, HandleAsync));
    }

    /// <summary>
    /// Streams wire text for peers, in order for each endpoint, starting with the first unacknowledged message. Reconnects automatically.
    /// Supports one reader.
    /// </summary>
    /// <exception cref="RelayException">The server refuses permanently, or another bridge has taken over.</exception>
    public IAsyncEnumerable<OutboundMessage> Outbound(CancellationToken cancellation = default) =>
        _messages.Reader.ReadAllAsync(cancellation);

    /// <summary>
    /// Delivers a message from the network to Relay; returns when its effect is durable, or it is rejected. After a broken connection the
    /// message is sent again with its id, and takes effect once. Messages of one peer are processed in the order of the calls.
    /// </summary>
    /// <param name="messageId">Idempotency key: the network's or the bridge's own id of the message, unique for the peer.</param>
    /// <param name="text">The message as the network carried it; Relay rejects more than 131,072 bytes (<c>TOO_LARGE</c>).</param>
    /// <param name="endpoint">The endpoint that the message is for; null if the bridge carries only one.</param>
    /// <param name="networkTime">When the network says that the message was sent; null: it does not say.</param>
    /// <exception cref="RelayException">The server refuses permanently, or another bridge has taken over.</exception>
    public async Task<InboundResult> DeliverAsync(string peer, string messageId, ReadOnlyMemory<byte> text, string? endpoint = null,
        DateTimeOffset? networkTime = null, CancellationToken cancellation = default)
    {
        var message = new InboundWire
        {
            Endpoint = endpoint ?? _endpoints.Single(),
            Peer = peer,
            MessageId = messageId,
            Text = ByteString.CopyFrom(text.Span[..Math.Min(text.Length, MaxSentBytes)]),
            NetworkTime = networkTime is { } time ? Timestamp.FromDateTimeOffset(time) : null,
        };
        return await _inbound.AddAsync(message, cancellation);
    }

    /// <summary>
    /// Says that the peer's program has confirmed a bot's message (<c>OutboundWire.message</c>): it is delivered, and the bot is told, once.
    /// </summary>
    /// <returns>False if the server does not remember the message.</returns>
    /// <exception cref="RelayException">The server refuses, or does not answer.</exception>
    public async Task<bool> ConfirmAsync(string message, string? endpoint = null, CancellationToken cancellation = default)
    {
        var request = new SettleWireRequest { Endpoint = endpoint ?? _endpoints.Single(), Delivered = { message } };
        return (await CallAsync(request, cancellation)).Unknown.Count == 0;
    }

    internal async Task<bool> SettleAsync(string endpoint, ulong sequence, string failure, CancellationToken cancellation)
    {
        var request = new SettleWireRequest
        {
            Endpoint = endpoint, Settlements = { new V1.Settlement { Sequence = sequence, Failure = failure } },
        };
        var backoff = new Backoff(_client.Options);
        while (true)
        {
            var result = (await CallAsync(request, cancellation)).Results.Single();
            if (!result.Retry) return result.Reason.Length == 0;
            await Task.Delay(backoff.Next(null), _client.Options.Time, cancellation);
        }
    }

    private Task<SettleWireResponse> CallAsync(SettleWireRequest request, CancellationToken cancellation) =>
        _client.CallAsync(o => _client.BridgeStreams.SettleWireAsync(request, o), cancellation);

    /// <summary>Sends the remaining acknowledgements and closes the stream.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_closing.IsCancellationRequested) return;
        await _closing.CancelAsync();
        await _running;
        _inbound.Dispose();
    }

    private async ValueTask<Next> HandleAsync(StreamWireResponse response, CancellationToken closing)
    {
        switch (response.MessageCase)
        {
            case StreamWireResponse.MessageOneofCase.Draining:
                return Next.Reconnect;
            case StreamWireResponse.MessageOneofCase.InboundResult:
                _inbound.Answer(response.InboundResult);
                break;
            case StreamWireResponse.MessageOneofCase.Outbound when _cursors.Give(response.Outbound.Endpoint, response.Outbound.Sequence):
                await _messages.Writer.WriteAsync(new OutboundMessage(this, response.Outbound, _outgoing.Acknowledge), closing);
                break;
        }
        return Next.Continue;
    }

    private async Task RunAsync(StreamLoop<StreamWireRequest, StreamWireResponse> loop)
    {
        try
        {
            await loop.RunAsync(_closing.Token);
            _messages.Writer.TryComplete();
            _inbound.Fail(new OperationCanceledException("The bridge was closed."));
        }
        catch (Exception e)
        {
            _messages.Writer.TryComplete(e);
            _inbound.Fail(e);
        }
    }

    private sealed class BridgeOutgoing(Cursors cursors, InboundQueue inbound, Wakeup wakeup) : IOutgoing<StreamWireRequest>
    {
        public void Acknowledge(OutboundMessage message)
        {
            if (cursors.Acknowledge(message.Endpoint, message.Message.Sequence)) wakeup.Set();
        }

        public void Restart()
        {
            cursors.Restart();
            inbound.Restart();
        }

        public StreamWireRequest? Next() =>
            cursors.NextOpen() is { } open ? new StreamWireRequest { Open = open }
            : cursors.NextAcknowledgement() is { } ack ? new StreamWireRequest { Ack = ack }
            : inbound.Next() is { } message ? new StreamWireRequest { Inbound = message }
            : null;

        public ValueTask WaitAsync(CancellationToken cancellation) => wakeup.WaitAsync(cancellation);
    }
}
