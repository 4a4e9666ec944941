using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Relay.Actors;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Auth;

/// <summary>
/// The server's API keys: <c>api-keys.json</c> (0600) in the data directory, replaced as a whole at every change. A file
/// of hashes rather than rows of the store, because access must be decided, repaired and read by an operator even when
/// the store does not open. Thread-safe; checks never wait for a change.
/// </summary>
public sealed class ApiKeyFile
{
    /// <summary>The file's name in the data directory.</summary>
    public const string FileName = "api-keys.json";
    private const int Version = 1;
    private static readonly TimeSpan s_longestWait = TimeSpan.FromDays(1);

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    private readonly string _path;
    private readonly Lock _change = new();
    private volatile IReadOnlyDictionary<string, ApiKey> _keys;
    private volatile TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ApiKeyFile(string path, IReadOnlyDictionary<string, ApiKey> keys)
    {
        _path = path;
        _keys = keys;
    }

    /// <summary>Every key, in order of creation.</summary>
    public IReadOnlyList<ApiKey> List() => [.. _keys.Values.OrderBy(k => k.Created).ThenBy(k => k.Id, StringComparer.Ordinal)];

    /// <summary>The key that the token opens at that time, or null.</summary>
    public ApiKey? Authenticate(ApiKeyToken token, DateTimeOffset now)
    {
        var hash = token.Hash();
        if (!_keys.TryGetValue(token.Id, out var key)) return null;
        return CryptographicOperations.FixedTimeEquals(hash, Convert.FromHexString(key.Hash)) && key.IsValidAt(now) ? key : null;
    }

    /// <summary>Completes when the key opens nothing any more: so that a stream does not outlive its key.</summary>
    public async Task WhenInvalidAsync(string id, TimeProvider time, CancellationToken cancellation)
    {
        while (true)
        {
            var changed = _changed.Task;
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

    /// <summary>Adds a key; false if there are too many.</summary>
    public bool TryAdd(ApiKey key)
    {
        lock (_change)
        {
            if (_keys.Count >= GatewayLimits.MaxApiKeys) return false;
            Replace(new Dictionary<string, ApiKey>(_keys) { [key.Id] = key });
            return true;
        }
    }

    /// <summary>Ends a key from that time on; null if there is none of that id. The first time stands.</summary>
    public ApiKey? Revoke(string id, DateTimeOffset now)
    {
        lock (_change)
        {
            if (!_keys.TryGetValue(id, out var key)) return null;
            if (key.Revoked is not null) return key;
            key = key with { Revoked = now };
            Replace(new Dictionary<string, ApiKey>(_keys) { [id] = key });
            return key;
        }
    }

    /// <summary>Opens the file; an absent one is an empty list.</summary>
    /// <exception cref="RelayStartException">The file is there but cannot be read as a list of keys.</exception>
    public static ApiKeyFile Open(string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, FileName);
        if (!File.Exists(path)) return new ApiKeyFile(path, new Dictionary<string, ApiKey>());
        try
        {
            var content = JsonSerializer.Deserialize<Content>(File.ReadAllBytes(path), s_json)
                ?? throw new JsonException("The file is empty.");
            if (content.Version != Version) throw new JsonException($"Version {content.Version} is not known here.");
            foreach (var key in content.Keys)
            {
                if (key.Hash is not { Length: 64 } || !key.Hash.All(char.IsAsciiHexDigit) || !Enum.IsDefined(key.Scope) || key.Endpoints is null)
                    throw new JsonException("A key is incomplete.");
            }
            return new ApiKeyFile(path, content.Keys.ToDictionary(k => k.Id));
        }
        catch (Exception e) when (e is JsonException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new RelayStartException(
                $"{path} cannot be read as a list of API keys ({e.Message}). Nothing was changed. Restore it from a backup, "
                + "or move it away: a new admin key is then made and every other key must be made again.", e);
        }
    }

    private void Replace(Dictionary<string, ApiKey> keys)
    {
        PrivateFile.Write(_path, JsonSerializer.SerializeToUtf8Bytes(new Content(Version, [.. keys.Values.OrderBy(k => k.Created)]), s_json));
        _keys = keys;
        var changed = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.SetResult();
    }

    private sealed record Content(int Version, IReadOnlyList<ApiKey> Keys);
}
