using Relay.V1;

namespace Relay.Client;

/// <summary>Wire text that a bridge delivers to a peer.</summary>
public sealed class OutboundMessage
{
    private readonly Bridge _bridge;
    private readonly Action<OutboundMessage> _acknowledge;

    internal OutboundMessage(Bridge bridge, OutboundWire message, Action<OutboundMessage> acknowledge)
    {
        _bridge = bridge;
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
    /// The file that it offers, whose blob the bridge brings to the peer by its network's means, if it has any
    /// (<see cref="Bridge.DownloadBlobAsync"/>); null for all other wire text.
    /// </summary>
    public string? File => Message.File.Length > 0 ? Message.File : null;

    /// <summary>
    /// Where the server serves that blob; the offer has this link too, so that a bridge need not bring the blob. Null for all other wire
    /// text, and if the server's operator has set no public URL.
    /// </summary>
    public string? FileUrl => Message.FileUrl.Length > 0 ? Message.FileUrl : null;

    /// <summary>
    /// True for the last piece of a bot's message: what a confirmation of the peer's program is to be asked for with
    /// (<see cref="Bridge.ConfirmAsync"/>).
    /// </summary>
    public bool EndsMessage => Message.Message.Length > 0 && Message.Piece == Message.Pieces;

    /// <summary>
    /// Says that the network refuses this message for good: the bot's message becomes undeliverable, and the bot is told, once. Acknowledge
    /// it afterwards.
    /// </summary>
    /// <param name="failure">
    /// <c>NO_SUCH_PEER</c>, <c>PEER_UNAVAILABLE</c>, <c>BLOCKED</c>, <c>NOT_ALLOWED</c>, <c>TOO_LARGE</c>, <c>NO_ROUTE</c>,
    /// <c>FILE_NOT_CARRIED</c> or <c>REFUSED</c>.
    /// </param>
    /// <returns>False if it was acknowledged before, which stays.</returns>
    /// <exception cref="RelayException">The server refuses, or does not answer.</exception>
    public Task<bool> RefuseAsync(string failure, CancellationToken cancellation = default) =>
        _bridge.SettleAsync(Endpoint, Message.Sequence, failure, cancellation);

    /// <summary>
    /// Acknowledges this message and all earlier ones of its endpoint, once the network has them; the server deletes them.
    /// </summary>
    public ValueTask AckAsync()
    {
        _acknowledge(this);
        return ValueTask.CompletedTask;
    }
}
