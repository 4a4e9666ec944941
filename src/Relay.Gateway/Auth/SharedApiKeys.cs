using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Relay.Actors;
using Relay.Gateway.Hosting;
using Relay.Gateway.Telemetry;
using Relay.Storage;

namespace Relay.Gateway.Auth;

/// <summary>
/// A cluster's API keys: one sealed document in the shared store. Every node checks calls against its cached copy and polls for a
/// newer version every <see cref="GatewayLimits.KeyRefresh"/>. It refuses all calls when no poll has succeeded for
/// <see cref="GatewayLimits.MaxKeyAge"/>. A version older than one already seen is never accepted: it would make revoked keys
/// valid again.
/// </summary>
public sealed class SharedApiKeys : IApiKeyStore, IAsyncDisposable
{
    /// <summary>The document's name.</summary>
    public const string DocumentName = "api-keys";
    private const int MaxAttempts = 16;

    private readonly ISharedDocuments _documents;
    private readonly SeenVersionFile _seen;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly ApiKeyList _list;
    private readonly SemaphoreSlim _changing = new(1, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private Task _refreshing = Task.CompletedTask;
    private ulong _version;
    private long _lastLook;
    private Task? _lookingForUnknown;
    private long _lastLookForUnknown;

    private SharedApiKeys(
        ISharedDocuments documents, SeenVersionFile seen, TimeProvider time, ILogger log, ulong version,
        ImmutableDictionary<string, ApiKey> keys)
    {
        (_documents, _seen, _time, _log, _version) = (documents, seen, time, log, version);
        _list = new ApiKeyList(keys);
        _lastLook = _lastLookForUnknown = time.GetTimestamp();
    }

    /// <summary>Reads the keys and starts polling for changes.</summary>
    /// <exception cref="RelayStartException">The keys cannot be read, or are older than a version that this node has seen.</exception>
    public static async Task<SharedApiKeys> OpenAsync(
        ISharedDocuments documents, string dataDirectory, TimeProvider time, ILogger log, CancellationToken cancellation)
    {
        var seen = SeenVersionFile.Open(dataDirectory);
        try
        {
            var (version, keys) = await ReadAsync(documents, cancellation);
            if (version < seen.Version)
            {
                throw new RelayStartException(
                    $"The API keys in the database are at version {version}, and this node has seen version {seen.Version}: "
                    + "a backup was restored, or somebody rolled the keys back. A key that was revoked since would be valid again. "
                    + $"If you know why, remove {seen.Path} on every node, start it, and revoke the keys that 'relay keys list' "
                    + "should not show.");
            }
            seen.Raise(version);
            var shared = new SharedApiKeys(documents, seen, time, log, version, keys);
            shared._refreshing = shared.RefreshAsync();
            return shared;
        }
        catch (Exception e) when (e is DamagedDocumentException or JsonException or StoreException)
        {
            throw new RelayStartException($"The API keys in the database cannot be read: {e.Message} Nothing was changed.", e);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<ApiKey> List() => _list.InOrder();

    /// <inheritdoc/>
    public async ValueTask<ApiKey?> AuthenticateAsync(ApiKeyToken token, DateTimeOffset now, CancellationToken cancellation)
    {
        // Checked here as well as in the polling task: a process that was suspended for an hour may resume here.
        if (IsTooOld) _list.MarkOutOfDate();
        if (_list.Authenticate(token, now) is { } key) return key;
        if (_list.Keys.TryGetValue(token.Id, out var known) && !known.IsValidAt(now)) return null;
        // Another node may have created or rotated the key just now, so the store is read before the key is refused.
        await LookForUnknownAsync().WaitAsync(cancellation);
        return _list.Authenticate(token, now);
    }

    /// <inheritdoc/>
    public Task WhenInvalidAsync(string id, ReadOnlyMemory<byte> hash, TimeProvider time, CancellationToken cancellation)
        => _list.WhenInvalidAsync(id, hash, time, cancellation);

    /// <inheritdoc/>
    public ValueTask<RotateKeyResult?> RotateAsync(string id, RotateKey rotation, CancellationToken cancellation)
        => ChangeAsync(keys => ApiKeyList.Rotate(keys, id, rotation), cancellation);

    /// <inheritdoc/>
    public ValueTask<AddKeyResult> AddAsync(ApiKey key, CancellationToken cancellation)
        => ChangeAsync(keys => ApiKeyList.Add(keys, key), cancellation);

    /// <inheritdoc/>
    public ValueTask<ApiKey?> RevokeAsync(string id, DateTimeOffset now, CancellationToken cancellation)
        => ChangeAsync(keys => ApiKeyList.Revoke(keys, id, now), cancellation);

    /// <inheritdoc/>
    public ValueTask<UpdateKeyResult?> UpdateAsync(
        string id, Func<ApiKey, ApiKey> change, DateTimeOffset now, CancellationToken cancellation)
        => ChangeAsync(keys => ApiKeyList.Update(keys, id, change, now), cancellation);

    public ValueTask<bool?> DeleteAsync(string id, DateTimeOffset now, CancellationToken cancellation)
        => ChangeAsync(keys => ApiKeyList.Delete(keys, id, now), cancellation);

    /// <summary>Stops polling.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _refreshing;
    }

    private bool IsTooOld => _time.GetElapsedTime(Volatile.Read(ref _lastLook)) > GatewayLimits.MaxKeyAge;

    private async ValueTask<T> ChangeAsync<T>(
        Func<ImmutableDictionary<string, ApiKey>, (ImmutableDictionary<string, ApiKey>? Changed, T Result)> change,
        CancellationToken cancellation)
    {
        await _changing.WaitAsync(cancellation);
        try
        {
            for (int attempt = 1; ; attempt++)
            {
                long begun = _time.GetTimestamp();
                var (version, keys) = await ReadAsync(_documents, cancellation);
                if (!Take(version, keys, begun)) throw new StoreException("The stored API keys are older than those seen.");
                var (changed, result) = change(keys);
                if (changed is null) return result;
                try
                {
                    if (await _documents.WriteAsync(DocumentName, version, ApiKeyDocument.Write(changed), cancellation))
                    {
                        Take(version + 1, changed, begun);
                        return result;
                    }
                }
                catch (StoreException) when (attempt < MaxAttempts)
                {
                    // The next read shows whether it was written.
                }
                if (attempt >= MaxAttempts) throw new StoreException("Other nodes change the API keys at the same time.");
            }
        }
        catch (Exception e) when (e is DamagedDocumentException or JsonException)
        {
            throw new StoreException(e.Message, e);
        }
        finally
        {
            _changing.Release();
        }
    }

    private async Task RefreshAsync()
    {
        bool isFailing = false;
        while (true)
        {
            await Task.Delay(GatewayLimits.KeyRefresh, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_stop.IsCancellationRequested) return;
            try
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                limit.CancelAfter(GatewayLimits.MaxKeyAge / 4);
                await LookAsync(limit.Token).WaitAsync(limit.Token);
                isFailing = false;
            }
            catch (Exception e) when (e is StoreException or DamagedDocumentException or JsonException or OperationCanceledException)
            {
                if (_stop.IsCancellationRequested) return;
                if (!isFailing) _log.KeysNotRead(e is OperationCanceledException ? "The store does not answer in time." : e.Message);
                isFailing = true;
            }
            if (IsTooOld) _list.MarkOutOfDate();
        }
    }

    /// <summary>
    /// Reads the store once for all waiting callers, and at most once per <see cref="GatewayLimits.UnknownKeyLook"/>: callers with
    /// invalid keys must not cause a read each.
    /// </summary>
    private Task LookForUnknownAsync()
    {
        lock (_lock)
        {
            if (_lookingForUnknown is not { IsCompleted: false })
                _lookingForUnknown = LaterAsync(GatewayLimits.UnknownKeyLook - _time.GetElapsedTime(_lastLookForUnknown));
            return _lookingForUnknown;
        }

        async Task LaterAsync(TimeSpan rest)
        {
            try
            {
                if (rest > TimeSpan.Zero) await Task.Delay(rest, _time, _stop.Token);
                lock (_lock) _lastLookForUnknown = _time.GetTimestamp();
                await LookAsync(_stop.Token);
            }
            catch (Exception e) when (e is DamagedDocumentException or JsonException or OperationCanceledException)
            {
                throw new StoreException(e.Message, e);
            }
        }
    }

    private async Task LookAsync(CancellationToken cancellation)
    {
        long begun = _time.GetTimestamp();
        ulong stored = await _documents.VersionAsync(DocumentName, cancellation);
        ulong known;
        lock (_lock) known = _version;
        if (stored == known)
        {
            Volatile.Write(ref _lastLook, begun);
            _list.Confirm();
            return;
        }
        var (version, keys) = await ReadAsync(_documents, cancellation);
        if (!Take(version, keys, begun))
        {
            throw new StoreException(
                "The stored API keys are older than those seen: a backup was restored, or somebody rolled the keys back.");
        }
    }

    /// <summary>Replaces the cached keys by a newer version, or confirms them.</summary>
    /// <returns>False if the version is older than the one already seen.</returns>
    private bool Take(ulong version, ImmutableDictionary<string, ApiKey> keys, long readAt)
    {
        lock (_lock)
        {
            if (version < _version) return false;
            if (version > _version)
            {
                _seen.Raise(version);
                _version = version;
                _list.Replace(keys);
            }
            Volatile.Write(ref _lastLook, Math.Max(readAt, _lastLook));
            _list.Confirm();
            return true;
        }
    }

    private static async ValueTask<(ulong Version, ImmutableDictionary<string, ApiKey> Keys)> ReadAsync(
        ISharedDocuments documents, CancellationToken cancellation) =>
        await documents.ReadAsync(DocumentName, cancellation) is { } stored
            ? (stored.Version, ApiKeyDocument.Read(stored.Clear))
            : (0, ImmutableDictionary<string, ApiKey>.Empty);
}
