namespace Relay.Client.Streams;

/// <summary>The requests that a stream sends, kept so that a new connection can send unanswered ones again.</summary>
internal interface IOutgoing<TRequest> where TRequest : class
{
    /// <summary>Starts a new connection: the open requests and all unanswered requests are sent again.</summary>
    void Restart();

    /// <summary>The connection has ended.</summary>
    void End() { }

    /// <summary>False: a connection that ends is not followed by another.</summary>
    bool IsWanted => true;

    /// <summary>Takes the next request; null if there is none now.</summary>
    TRequest? Next();

    /// <summary>Completes when there may be another request.</summary>
    ValueTask WaitAsync(CancellationToken cancellation);
}
