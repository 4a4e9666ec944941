using Relay.Storage;

namespace Relay.Gateway.Auth;

/// <summary>
/// Where the API keys are: a file of one server, or a document that the nodes of a cluster share. Checks are answered
/// from memory; only for a key that is not known yet the store is asked. Thread-safe.
/// </summary>
public interface IApiKeyStore
{
    /// <summary>Every key, in order of creation.</summary>
    IReadOnlyList<ApiKey> List();

    /// <summary>The key that the token opens at that time, or null.</summary>
    /// <exception cref="StoreException">What is known of the keys is too old to decide by.</exception>
    ValueTask<ApiKey?> AuthenticateAsync(ApiKeyToken token, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Completes when the key opens nothing any more: so that a stream does not outlive its key.</summary>
    /// <exception cref="StoreException">As with <see cref="AuthenticateAsync"/>.</exception>
    Task WhenInvalidAsync(string id, TimeProvider time, CancellationToken cancellation);

    /// <summary>Adds a key, unless its request has made one already or there are too many.</summary>
    /// <exception cref="StoreException">Not known whether it was added.</exception>
    ValueTask<AddKeyResult> AddAsync(ApiKey key, CancellationToken cancellation);

    /// <summary>Ends a key from that time on; null if there is none of that id. The first time stands.</summary>
    /// <exception cref="StoreException">Not known whether it was ended.</exception>
    ValueTask<ApiKey?> RevokeAsync(string id, DateTimeOffset now, CancellationToken cancellation);
}

/// <summary>What became of a new key.</summary>
public abstract record AddKeyResult
{
    private AddKeyResult() { }

    /// <summary>It opens from now on.</summary>
    public sealed record Added : AddKeyResult { internal static Added Instance { get; } = new(); }
    /// <summary>The same request has made this one.</summary>
    public sealed record MadeBefore(ApiKey Key) : AddKeyResult;
    /// <summary><see cref="Hosting.GatewayLimits.MaxApiKeys"/> is reached.</summary>
    public sealed record TooMany : AddKeyResult { internal static TooMany Instance { get; } = new(); }
}
