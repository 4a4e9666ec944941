namespace Relay.Client.Streams;

/// <summary>What a stream has to say to the server, so told that a new connection can say it again.</summary>
internal interface IOutgoing<TRequest> where TRequest : class
{
    /// <summary>A new connection: whatever was said and not answered is to be said again, beginning with the greeting.</summary>
    void Restart();

    /// <summary>The next thing to say; null if there is nothing now.</summary>
    TRequest? Next();

    /// <summary>Completes when there may be something to say.</summary>
    ValueTask WaitAsync(CancellationToken cancellation);
}
