using System.Collections.Immutable;
using Relay.Gateway.Hosting;
using Relay.Storage;

namespace Relay.Gateway.Auth;

/// <summary>The keys in memory. Every call is checked against them, and open streams are notified of changes. Thread-safe.</summary>
internal sealed class ApiKeyList(ImmutableDictionary<string, ApiKey> keys)
{
    private static readonly TimeSpan s_longestWait = TimeSpan.FromDays(1);
    private readonly Lock _change = new();
    private volatile ImmutableDictionary<string, ApiKey> _keys = keys;
    private volatile bool _isOutOfDate;
    private volatile TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ImmutableDictionary<string, ApiKey> Keys => _keys;

    /// <summary>In order of creation.</summary>
    public IReadOnlyList<ApiKey> InOrder() => [.. _keys.Values.OrderBy(k => k.Created).ThenBy(k => k.Id, StringComparer.Ordinal)];

    public ApiKey? Authenticate(ApiKeyToken token, DateTimeOffset now)
    {
        RequireUpToDate();
        var hash = token.Hash();
        if (!_keys.TryGetValue(token.Id, out var key)) return null;
        return key.Accepts(hash, now) ? key : null;
    }

    public async Task WhenInvalidAsync(string id, ReadOnlyMemory<byte> hash, TimeProvider time, CancellationToken cancellation)
    {
        while (true)
        {
            var changed = _changed.Task;
            RequireUpToDate();
            var now = time.GetUtcNow();
            if (!_keys.TryGetValue(id, out var key) || !key.Accepts(hash.Span, now)) return;
            // Timers have a maximum interval, so a far expiry is checked again once a day.
            var wait = key.EndOf(hash.Span) is { } end && end - now < s_longestWait ? end - now : s_longestWait;
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            await Task.WhenAny(changed, Task.Delay(wait, time, stop.Token));
            await stop.CancelAsync();
            cancellation.ThrowIfCancellationRequested();
        }
    }

    public void Replace(ImmutableDictionary<string, ApiKey> keys)
    {
        lock (_change)
        {
            _keys = keys;
            _isOutOfDate = false;
            Tell();
        }
    }

    /// <summary>Makes every check fail with <see cref="StoreException"/> until the keys are replaced or confirmed.</summary>
    public void MarkOutOfDate()
    {
        lock (_change)
        {
            if (_isOutOfDate) return;
            _isOutOfDate = true;
            Tell();
        }
    }

    /// <summary>Records that the keys still equal the stored ones.</summary>
    public void Confirm()
    {
        lock (_change) _isOutOfDate = false;
    }

    /// <summary>Adds a key. <c>Changed</c> is null if the list stays the same.</summary>
    public static (ImmutableDictionary<string, ApiKey>? Changed, AddKeyResult Result) Add(
        ImmutableDictionary<string, ApiKey> keys, ApiKey key)
    {
        // An earlier write of this key succeeded although it reported a failure: ids are random, so it is the same key.
        if (keys.ContainsKey(key.Id)) return (null, AddKeyResult.Added.Instance);
        if (key.RequestId is not null && keys.Values.FirstOrDefault(k => k.RequestId == key.RequestId) is { } earlier)
            return (null, new AddKeyResult.MadeBefore(earlier));
        return keys.Count >= GatewayLimits.MaxApiKeys
            ? (null, AddKeyResult.TooMany.Instance)
            : (keys.Add(key.Id, key), AddKeyResult.Added.Instance);
    }

    /// <summary>Revokes a key. <c>Changed</c> is null if the list stays the same; <c>Result</c> is null if there is no such key.</summary>
    public static (ImmutableDictionary<string, ApiKey>? Changed, ApiKey? Result) Revoke(
        ImmutableDictionary<string, ApiKey> keys, string id, DateTimeOffset now)
    {
        if (!keys.TryGetValue(id, out var key)) return (null, null);
        if (key.Revoked is not null) return (null, key);
        key = key with { Revoked = now };
        return (keys.SetItem(id, key), key);
    }

    /// <summary>Removes a key that is not valid any more. <c>Result</c> is as of <see cref="IApiKeyStore.DeleteAsync"/>.</summary>
    public static (ImmutableDictionary<string, ApiKey>? Changed, bool? Result) Delete(
        ImmutableDictionary<string, ApiKey> keys, string id, DateTimeOffset now)
    {
        if (!keys.TryGetValue(id, out var key)) return (null, null);
        return key.IsValidAt(now) ? (null, false) : (keys.Remove(id), true);
    }

    /// <summary>
    /// Changes a key that is valid. <c>Changed</c> is null if the list stays the same; <c>Result</c> is null if there is no such key.
    /// </summary>
    public static (ImmutableDictionary<string, ApiKey>? Changed, UpdateKeyResult? Result) Update(
        ImmutableDictionary<string, ApiKey> keys, string id, Func<ApiKey, ApiKey> change, DateTimeOffset now)
    {
        if (!keys.TryGetValue(id, out var key)) return (null, null);
        if (!key.IsValidAt(now)) return (null, new UpdateKeyResult(key, false));
        key = change(key);
        return (keys.SetItem(id, key), new UpdateKeyResult(key, true));
    }

    /// <summary>
    /// Gives a key another secret. <c>Changed</c> is null if the list stays the same; <c>Result</c> is null if there is no such key.
    /// </summary>
    public static (ImmutableDictionary<string, ApiKey>? Changed, RotateKeyResult? Result) Rotate(
        ImmutableDictionary<string, ApiKey> keys, string id, RotateKey rotation)
    {
        if (!keys.TryGetValue(id, out var key)) return (null, null);
        if (key.Hash == rotation.Hash) return (null, new RotateKeyResult.Rotated(key));
        if (key.RotateRequestId == rotation.RequestId) return (null, new RotateKeyResult.RotatedBefore(key));
        if (!key.IsValidAt(rotation.Now)) return (null, new RotateKeyResult.NotValid(key));
        key = key with
        {
            Hash = rotation.Hash, PreviousHash = key.Hash, PreviousEnds = rotation.Now + rotation.Overlap,
            Expires = rotation.Expires ?? key.Expires,
            RotateRequestId = rotation.RequestId,
        };
        return (keys.SetItem(id, key), new RotateKeyResult.Rotated(key));
    }

    private void RequireUpToDate()
    {
        if (_isOutOfDate) throw new StoreException("The API keys have not been read for too long.");
    }

    private void Tell()
    {
        var changed = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.SetResult();
    }
}
