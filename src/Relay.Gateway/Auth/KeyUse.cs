using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Relay.Actors;
using Relay.Gateway.Hosting;
using Relay.Storage;

namespace Relay.Gateway.Auth;

/// <summary>
/// The hour in which each API key was last used. It is kept apart from the keys, so that recording it changes nothing by which calls are
/// decided: in memory, and written every <see cref="GatewayLimits.KeyUseInterval"/> by <see cref="KeyUseWriter"/>. Thread-safe.
/// </summary>
internal sealed class KeyUse
{
    /// <summary>Hours are since 1970; a later one than this is not a time.</summary>
    private const long MaxHour = 10_000_000;

    private readonly ConcurrentDictionary<string, long> _hours = [];

    /// <summary>Records that a key is used now.</summary>
    public void Record(string id, DateTimeOffset now)
    {
        long hour = now.ToUnixTimeSeconds() / 3600;
        // Reads only, but for the first use in an hour.
        if (!_hours.TryGetValue(id, out long known) || known < hour) _hours.AddOrUpdate(id, hour, (_, h) => Math.Max(h, hour));
    }

    /// <summary>The beginning of the hour of the last use; null: none is recorded.</summary>
    public DateTimeOffset? Last(string id) => _hours.TryGetValue(id, out long hour) ? DateTimeOffset.FromUnixTimeSeconds(hour * 3600) : null;

    /// <summary>Adds what is stored, and returns all of it for keys that exist; null if the stored is the same.</summary>
    public Dictionary<string, long>? Merge(IReadOnlyDictionary<string, long> stored, IReadOnlySet<string> keys)
    {
        foreach (var (id, hour) in stored.Where(p => p.Value is >= 0 and < MaxHour)) _hours.AddOrUpdate(id, hour, (_, h) => Math.Max(h, hour));
        foreach (var id in _hours.Keys.Where(id => !keys.Contains(id))) _hours.TryRemove(id, out _);
        var all = new Dictionary<string, long>(_hours);
        return all.Count == stored.Count && all.All(p => stored.GetValueOrDefault(p.Key) == p.Value) ? null : all;
    }
}

/// <summary>
/// Writes the hours of last use to a document of the cluster, or to <c>api-keys.used</c> in the data directory. What cannot be written is
/// written later; what is lost is only information for operators.
/// </summary>
internal sealed class KeyUseWriter(KeyUse use, RelayService relay, IOptions<RelayOptions> options, TimeProvider time) : BackgroundService
{
    public const string FileName = "api-keys.used";
    private const string DocumentName = "api-key-use";
    /// <summary>Attempts while other nodes write the document.</summary>
    private const int MaxAttempts = 4;

    private string FilePath => Path.Combine(options.Value.DataDirectory, FileName);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await TryWriteAsync(stoppingToken);
            await Task.Delay(GatewayLimits.KeyUseInterval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (relay.IsOpen && !cancellationToken.IsCancellationRequested) await TryWriteAsync(cancellationToken);
    }

    private async Task TryWriteAsync(CancellationToken cancellation)
    {
        try
        {
            await WriteAsync(cancellation);
        }
        catch (Exception e) when (e is StoreException or DamagedDocumentException or JsonException or IOException
            or UnauthorizedAccessException or OperationCanceledException)
        {
            // The next time does it.
        }
    }

    private async Task WriteAsync(CancellationToken cancellation)
    {
        var known = relay.Keys.List().Select(k => k.Id).ToHashSet(StringComparer.Ordinal);
        if (relay.Relay.Documents is not { } documents)
        {
            var stored = File.Exists(FilePath) ? Read(await File.ReadAllBytesAsync(FilePath, cancellation)) : [];
            if (use.Merge(stored, known) is { } merged) PrivateFile.Write(FilePath, JsonSerializer.SerializeToUtf8Bytes(merged));
            return;
        }
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var document = await documents.ReadAsync(DocumentName, cancellation);
            if (use.Merge(document is null ? [] : Read(document.Clear), known) is not { } merged) return;
            if (await documents.WriteAsync(DocumentName, document?.Version ?? 0, JsonSerializer.SerializeToUtf8Bytes(merged), cancellation))
                return;
        }
    }

    private static Dictionary<string, long> Read(byte[] text) => JsonSerializer.Deserialize<Dictionary<string, long>>(text) ?? [];
}
