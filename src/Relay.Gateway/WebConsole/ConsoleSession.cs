using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.WebConsole;

/// <summary>
/// Somebody who is signed in to the console of this node. It is in memory only: it ends with the process, at sign-out, after a time, and
/// as soon as the key that it was opened with is revoked, expires or is rotated away. Thread-safe.
/// </summary>
internal sealed class ConsoleSession
{
    private readonly byte[] _formKey;
    private readonly DateTimeOffset _ends;
    private readonly CancellationTokenSource _ended = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<string, DateTimeOffset> _sentForms = new(StringComparer.Ordinal);
    private long _lastSeen;
    private string? _notice;

    /// <param name="label">The name of the key for people; empty: it has none.</param>
    /// <param name="formKey">32 random bytes, which this session owns.</param>
    public ConsoleSession(Principal caller, string label, byte[] formKey, DateTimeOffset now)
    {
        (Caller, Label, _formKey, _ends, _lastSeen) = (caller, label, formKey, now + GatewayLimits.ConsoleSessionLife, now.UtcTicks);
        Ended = _ended.Token;
    }

    public Principal Caller { get; }

    public string Label { get; }

    /// <summary>What was last found in the endpoints, with this session's permissions.</summary>
    public Survey? Survey { get; set; }

    /// <summary>Cancelled when the session ends.</summary>
    public CancellationToken Ended { get; }

    public DateTimeOffset LastSeen => new(Volatile.Read(ref _lastSeen), TimeSpan.Zero);

    /// <summary>Whether the session can be used at that time.</summary>
    public bool IsOpen(DateTimeOffset now) =>
        !Ended.IsCancellationRequested && now < _ends && now - LastSeen < GatewayLimits.ConsoleSessionIdle;

    public void Seen(DateTimeOffset now) => Volatile.Write(ref _lastSeen, now.UtcTicks);

    public void End()
    {
        lock (_lock)
        {
            if (Ended.IsCancellationRequested) return;
            _ended.Cancel();
            CryptographicOperations.ZeroMemory(_formKey);
        }
    }

    /// <summary>Keeps a sentence for the next page that is shown.</summary>
    public void Tell(string notice) => Interlocked.Exchange(ref _notice, notice);

    public string? TakeNotice() => Interlocked.Exchange(ref _notice, null);

    /// <summary>
    /// The id of a form that is about to be shown, and the code that proves that this session was shown it. The form can be sent once, to
    /// that path, within <see cref="GatewayLimits.ConsoleFormLife"/>.
    /// </summary>
    public (string Id, string Code) NewForm(string path, DateTimeOffset now)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{now.ToUnixTimeSeconds()}-{Guid.NewGuid():N}");
        return (id, Code(path, id) ?? "");
    }

    /// <summary>Checks a form that was sent, and that it was not sent before.</summary>
    /// <returns>False: it is forged, for another page, too old, or was carried out.</returns>
    public bool TakeForm(string path, string id, string code, DateTimeOffset now)
    {
        if (Code(path, id) is not { } expected
            || !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(expected), Encoding.UTF8.GetBytes(code))) return false;
        // Only this program made the id, as the code shows.
        var shown = DateTimeOffset.FromUnixTimeSeconds(long.Parse(id.AsSpan(0, id.IndexOf('-')), NumberStyles.None, CultureInfo.InvariantCulture));
        if (now - shown > GatewayLimits.ConsoleFormLife) return false;
        lock (_lock)
        {
            foreach (var old in _sentForms.Where(f => now - f.Value > 2 * GatewayLimits.ConsoleFormLife).Select(f => f.Key).ToList())
                _sentForms.Remove(old);
            return _sentForms.Count < GatewayLimits.MaxConsoleForms && _sentForms.TryAdd(id, now);
        }
    }

    /// <summary>Lets a form be sent again: what it asked for was not carried out.</summary>
    public void ReturnForm(string id)
    {
        lock (_lock) _sentForms.Remove(id);
    }

    /// <summary>Null: the session has ended.</summary>
    private string? Code(string path, string id)
    {
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        lock (_lock)
        {
            if (Ended.IsCancellationRequested) return null;
            HMACSHA256.HashData(_formKey, Encoding.UTF8.GetBytes($"{path}\n{id}"), mac);
        }
        return Convert.ToHexStringLower(mac);
    }
}
