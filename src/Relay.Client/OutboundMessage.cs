using Relay.V1;

namespace Relay.Client;

/// <summary>Wire text for a bridge to carry to a peer.</summary>
public sealed class OutboundMessage
{
    private readonly Action<OutboundMessage> _acknowledge;

    internal OutboundMessage(OutboundWire message, Action<OutboundMessage> acknowledge)
    {
        Message = message;
        _acknowledge = acknowledge;
    }

    /// <summary>The message as the API has it.</summary>
    public OutboundWire Message { get; }

    /// <summary><c>endpoints/{endpoint}</c></summary>
    public string Endpoint => Message.Endpoint;

    /// <summary>The peer's address.</summary>
    public string Peer => Message.Peer;

    /// <summary>The wire text, to be carried as it is.</summary>
    public ReadOnlyMemory<byte> Text => Message.Text.Memory;

    /// <summary>This message, and every one before it at this endpoint, is on its way: the server forgets them.</summary>
    public ValueTask AckAsync()
    {
        _acknowledge(this);
        return ValueTask.CompletedTask;
    }
}
