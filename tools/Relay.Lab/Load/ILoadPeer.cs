namespace Relay.Lab.Load;

/// <summary>
/// The contact's end of a conversation. Its effects go to an <see cref="ILoadPeerListener"/>, in order and before the call completes.
/// </summary>
internal interface ILoadPeer : IAsyncDisposable
{
    /// <summary>Requests a private session.</summary>
    ValueTask StartAsync(CancellationToken cancellation);

    ValueTask SendAsync(string text, CancellationToken cancellation);

    /// <summary>Processes wire text that the bridge delivered.</summary>
    ValueTask ReceiveAsync(ReadOnlyMemory<byte> wire, CancellationToken cancellation);
}

/// <summary>Receives the effects of an <see cref="ILoadPeer"/>. Must not block.</summary>
internal interface ILoadPeerListener
{
    /// <summary>Wire text to be sent to Relay.</summary>
    void Wire(byte[] wire);

    void Read(string text, bool isPrivate);

    void SessionBegan();

    void SessionEnded();

    /// <summary>The peer rejected wire text of Relay, or received an OTR error message.</summary>
    void Refused(string reason);
}
