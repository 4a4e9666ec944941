using System.Collections.Immutable;
using System.Text.Json;
using Relay.Actors;
using Relay.Storage;

namespace Relay.Gateway.Auth;

/// <summary>
/// The API keys of a single server: <c>api-keys.json</c> (0600) in the data directory, replaced atomically at every change. The
/// hashes are in a file rather than in the store, so that an operator can read and repair access even when the store cannot be
/// opened.
/// </summary>
public sealed class ApiKeyFile : IApiKeyStore
{
    /// <summary>The file's name in the data directory.</summary>
    public const string FileName = "api-keys.json";

    private readonly string _path;
    private readonly Lock _change = new();
    private readonly ApiKeyList _list;

    private ApiKeyFile(string path, ImmutableDictionary<string, ApiKey> keys)
    {
        _path = path;
        _list = new ApiKeyList(keys);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ApiKey> List() => _list.InOrder();

    /// <inheritdoc/>
    public ValueTask<ApiKey?> AuthenticateAsync(ApiKeyToken token, DateTimeOffset now, CancellationToken cancellation)
        => ValueTask.FromResult(_list.Authenticate(token, now));

    /// <inheritdoc/>
    public Task WhenInvalidAsync(string id, ReadOnlyMemory<byte> hash, TimeProvider time, CancellationToken cancellation)
        => _list.WhenInvalidAsync(id, hash, time, cancellation);

    /// <inheritdoc/>
    public ValueTask<RotateKeyResult?> RotateAsync(string id, RotateKey rotation, CancellationToken cancellation)
        => ValueTask.FromResult(Change(keys => ApiKeyList.Rotate(keys, id, rotation)));

    /// <inheritdoc/>
    public ValueTask<AddKeyResult> AddAsync(ApiKey key, CancellationToken cancellation)
        => ValueTask.FromResult(Change(keys => ApiKeyList.Add(keys, key)));

    /// <inheritdoc/>
    public ValueTask<ApiKey?> RevokeAsync(string id, DateTimeOffset now, CancellationToken cancellation)
        => ValueTask.FromResult(Change(keys => ApiKeyList.Revoke(keys, id, now)));

    /// <inheritdoc/>
    public ValueTask<UpdateKeyResult?> UpdateAsync(
        string id, Func<ApiKey, ApiKey> change, DateTimeOffset now, CancellationToken cancellation)
        => ValueTask.FromResult(Change(keys => ApiKeyList.Update(keys, id, change, now)));

    public ValueTask<bool?> DeleteAsync(string id, DateTimeOffset now, CancellationToken cancellation)
        => ValueTask.FromResult(Change(keys => ApiKeyList.Delete(keys, id, now)));

    /// <summary>Opens the file; a missing one is an empty list.</summary>
    /// <exception cref="RelayStartException">The file exists but cannot be read as a list of keys.</exception>
    public static ApiKeyFile Open(string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, FileName);
        if (!File.Exists(path)) return new ApiKeyFile(path, ImmutableDictionary<string, ApiKey>.Empty);
        try
        {
            return new ApiKeyFile(path, ApiKeyDocument.Read(File.ReadAllBytes(path)));
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new RelayStartException(
                $"{path} cannot be read as a list of API keys ({e.Message}). Nothing was changed. Restore it from a backup, "
                + "or move it away: the next start then creates a new admin key, and every other key must be created again.", e);
        }
    }

    private T Change<T>(Func<ImmutableDictionary<string, ApiKey>, (ImmutableDictionary<string, ApiKey>? Changed, T Result)> change)
    {
        lock (_change)
        {
            var (changed, result) = change(_list.Keys);
            if (changed is null) return result;
            PrivateFile.Write(_path, ApiKeyDocument.Write(changed));
            _list.Replace(changed);
            return result;
        }
    }
}
