namespace Relay.Lab.Load;

/// <summary>One end of OTR outside of Relay. One call at a time; what a call causes is told before it completes, in order.</summary>
internal interface ILoadPeer : IAsyncDisposable
{
    /// <summary>Asks for a private session.</summary>
    ValueTask StartAsync(CancellationToken cancellation);

    ValueTask SendAsync(string text, CancellationToken cancellation);

    /// <summary>Takes wire text in that the network carried.</summary>
    ValueTask ReceiveAsync(ReadOnlyMemory<byte> wire, CancellationToken cancellation);
}

/// <summary>Who listens to a peer. Must not block.</summary>
internal interface ILoadPeerListener
{
    /// <summary>To be carried to Relay.</summary>
    void Wire(byte[] wire);

    void Read(string text, bool isPrivate);

    void SessionBegan();

    void SessionEnded();

    /// <summary>Wire text that Relay sent was rejected, or the peer was told of an error.</summary>
    void Refused(string reason);
}
