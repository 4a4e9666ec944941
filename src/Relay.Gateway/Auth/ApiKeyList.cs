using System.Collections.Immutable;
using System.Security.Cryptography;
using Relay.Gateway.Hosting;
using Relay.Storage;

namespace Relay.Gateway.Auth;

/// <summary>The keys in memory: what every check is made against, and how streams learn of a change. Thread-safe.</summary>
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
        return CryptographicOperations.FixedTimeEquals(hash, Convert.FromHexString(key.Hash)) && key.IsValidAt(now) ? key : null;
    }

    public async Task WhenInvalidAsync(string id, TimeProvider time, CancellationToken cancellation)
    {
        while (true)
        {
            var changed = _changed.Task;
            RequireUpToDate();
            var now = time.GetUtcNow();
            if (!_keys.TryGetValue(id, out var key) || !key.IsValidAt(now)) return;
            // Looked at again at the latest after a day: no timer reaches for ever.
            var wait = key.Expires is { } expires && expires - now < s_longestWait ? expires - now : s_longestWait;
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

    /// <summary>Nothing is decided by these keys until they are replaced or confirmed.</summary>
    public void MarkOutOfDate()
    {
        lock (_change)
        {
            if (_isOutOfDate) return;
            _isOutOfDate = true;
            Tell();
        }
    }

    /// <summary>They are still what is stored.</summary>
    public void Confirm()
    {
        lock (_change) _isOutOfDate = false;
    }

    /// <summary>The keys with one more.</summary>
    public static (ImmutableDictionary<string, ApiKey>? Changed, AddKeyResult Result) Add(ImmutableDictionary<string, ApiKey> keys, ApiKey key)
    {
        // A write that was done although it seemed to fail: the id is random, so it is this very key.
        if (keys.ContainsKey(key.Id)) return (null, AddKeyResult.Added.Instance);
        if (key.RequestId is not null && keys.Values.FirstOrDefault(k => k.RequestId == key.RequestId) is { } earlier) return (null, new AddKeyResult.MadeBefore(earlier));
        return keys.Count >= GatewayLimits.MaxApiKeys ? (null, AddKeyResult.TooMany.Instance) : (keys.Add(key.Id, key), AddKeyResult.Added.Instance);
    }

    /// <summary>The keys with one ended.</summary>
    public static (ImmutableDictionary<string, ApiKey>? Changed, ApiKey? Result) Revoke(ImmutableDictionary<string, ApiKey> keys, string id, DateTimeOffset now)
    {
        if (!keys.TryGetValue(id, out var key)) return (null, null);
        if (key.Revoked is not null) return (null, key);
        key = key with { Revoked = now };
        return (keys.SetItem(id, key), key);
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
