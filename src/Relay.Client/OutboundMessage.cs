using Relay.V1;

namespace Relay.Client;

/// <summary>Wire text that a bridge delivers to a peer.</summary>
public sealed class OutboundMessage
{
    private readonly Action<OutboundMessage> _acknowledge;

    internal OutboundMessage(OutboundWire message, Action<OutboundMessage> acknowledge)
    {
        Message = message;
        _acknowledge = acknowledge;
    }

    /// <summary>The message as an API message, with the fields that this class does not expose.</summary>
    public OutboundWire Message { get; }

    /// <summary><c>endpoints/{endpoint}</c></summary>
    public string Endpoint => Message.Endpoint;

    /// <summary>The peer's address.</summary>
    public string Peer => Message.Peer;

    /// <summary>The wire text, which the bridge delivers unchanged.</summary>
    public ReadOnlyMemory<byte> Text => Message.Text.Memory;

    /// <summary>
    /// Acknowledges this message and all earlier ones of its endpoint, once the network has them; the server deletes them.
    /// </summary>
    public ValueTask AckAsync()
    {
        _acknowledge(this);
        return ValueTask.CompletedTask;
    }
}
