using Relay.Storage;

namespace Relay.Gateway.Auth;

/// <summary>
/// The store of the API keys: the file of a single server, or a document that the nodes of a cluster share. Checks use a cached
/// copy; only an unknown key makes an implementation read the store. Thread-safe.
/// </summary>
public interface IApiKeyStore
{
    /// <summary>Every key, in order of creation.</summary>
    IReadOnlyList<ApiKey> List();

    /// <summary>The key that the token authenticates at that time; null if the token is not valid.</summary>
    /// <exception cref="StoreException">The cached keys are too old to decide by.</exception>
    ValueTask<ApiKey?> AuthenticateAsync(ApiKeyToken token, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>
    /// Completes when the key has expired or was revoked, or when its secret has ended after a rotation, so that a stream does not outlive
    /// it.
    /// </summary>
    /// <param name="hash">The hash of the secret.</param>
    /// <exception cref="StoreException">The cached keys are too old to decide by.</exception>
    Task WhenInvalidAsync(string id, ReadOnlyMemory<byte> hash, TimeProvider time, CancellationToken cancellation);

    /// <summary>Gives a key another secret, beside which the present one is valid for a while; null if there is no key of that id.</summary>
    /// <exception cref="StoreException">The store failed; whether the key was rotated is not known.</exception>
    ValueTask<RotateKeyResult?> RotateAsync(string id, RotateKey rotation, CancellationToken cancellation);

    /// <summary>Changes a key that is valid; null if there is no key of that id.</summary>
    /// <param name="change">May be called again if another node has changed the keys meanwhile.</param>
    /// <exception cref="StoreException">The store failed; whether the key was changed is not known.</exception>
    ValueTask<UpdateKeyResult?> UpdateAsync(
        string id, Func<ApiKey, ApiKey> change, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Adds a key, unless its request id has already created one or the limit is reached.</summary>
    /// <exception cref="StoreException">The store failed; whether the key was added is not known.</exception>
    ValueTask<AddKeyResult> AddAsync(ApiKey key, CancellationToken cancellation);

    /// <summary>
    /// Revokes a key and returns it; null if there is no key of that id. Revoking it again does not change the time of the first
    /// revocation.
    /// </summary>
    /// <exception cref="StoreException">The store failed; whether the key was revoked is not known.</exception>
    ValueTask<ApiKey?> RevokeAsync(string id, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Removes a key that is not valid any more.</summary>
    /// <returns>True if it is gone, false if it is valid and was kept, null if there is no key of that id.</returns>
    /// <exception cref="StoreException">The store failed; whether the key was removed is not known.</exception>
    ValueTask<bool?> DeleteAsync(string id, DateTimeOffset now, CancellationToken cancellation);
}

/// <summary>The result of adding a key.</summary>
public abstract record AddKeyResult
{
    private AddKeyResult() { }

    /// <summary>The key is stored and valid.</summary>
    public sealed record Added : AddKeyResult { internal static Added Instance { get; } = new(); }
    /// <summary>A request with the same id has already created this key.</summary>
    public sealed record MadeBefore(ApiKey Key) : AddKeyResult;
    /// <summary><see cref="Hosting.GatewayLimits.MaxApiKeys"/> is reached.</summary>
    public sealed record TooMany : AddKeyResult { internal static TooMany Instance { get; } = new(); }
}

/// <summary>The result of changing a key.</summary>
/// <param name="Key">As it is stored now.</param>
/// <param name="IsChanged">False: it is revoked or has expired, and was left as it is.</param>
public sealed record UpdateKeyResult(ApiKey Key, bool IsChanged);

/// <summary>Another secret for a key.</summary>
/// <param name="Hash">SHA-256 of the new secret's text, hex.</param>
/// <param name="Overlap">For how long the present secret stays valid.</param>
/// <param name="Expires">The key's new expiry; null: as before.</param>
public sealed record RotateKey(string RequestId, string Hash, DateTimeOffset Now, TimeSpan Overlap, DateTimeOffset? Expires);

/// <summary>The result of rotating a key.</summary>
public abstract record RotateKeyResult
{
    private RotateKeyResult() { }

    /// <summary>The new secret is stored and valid.</summary>
    public sealed record Rotated(ApiKey Key) : RotateKeyResult;
    /// <summary>The request has rotated the key before, and its secret is not stored.</summary>
    public sealed record RotatedBefore(ApiKey Key) : RotateKeyResult;
    /// <summary>The key is revoked or has expired.</summary>
    public sealed record NotValid(ApiKey Key) : RotateKeyResult;
}
