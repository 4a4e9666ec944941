using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Relay.Actors.Audit;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;
using Relay.Gateway.Telemetry;
using Relay.Storage;

namespace Relay.Gateway.Audit;

/// <summary>
/// Appends entries to the audit log: one chain in the store, which all nodes of a cluster share. The head that this node has seen is kept
/// in <c>audit.seen</c> in its data directory, so that a log whose end was removed is noticed. Thread-safe.
/// </summary>
internal sealed class AuditLog(RelayService relay, IOptions<RelayOptions> options, TimeProvider time, ILogger<AuditLog> log)
{
    public const string FileName = "audit.seen";
    private const int MaxAttempts = 16;

    private readonly SemaphoreSlim _appending = new(1, 1);
    private AuditHead? _head;

    /// <summary>True if calls are recorded.</summary>
    public bool IsEnabled => options.Value.Audit.IsEnabled && relay.Relay.Audit is not null;

    private string FilePath => Path.Combine(options.Value.DataDirectory, FileName);

    /// <summary>Appends an entry, and returns its sequence.</summary>
    /// <param name="draft">Without sequence, time and hash.</param>
    /// <exception cref="StoreException">It is not known whether it was appended.</exception>
    public async Task<ulong> AppendAsync(AuditEntry draft, CancellationToken cancellation)
    {
        var rows = relay.Relay.Audit ?? throw new InvalidOperationException("The store has no audit log.");
        await _appending.WaitAsync(cancellation);
        var head = _head;
        // Until the row is known to be stored, another may be the head.
        _head = null;
        try
        {
            for (int attempt = 0; attempt < MaxAttempts; attempt++)
            {
                head ??= await OpenAsync(rows, cancellation);
                if (await TryAppendAsync(rows, draft, head, cancellation) is { } appended) return appended.Sequence;
                // Another node has appended one, or the end was removed.
                head = null;
            }
            throw new StoreException("Other nodes append to the audit log at the same time.");
        }
        finally
        {
            _appending.Release();
        }
    }

    /// <summary>An entry without sequence, time and hash, which it is given when it is appended.</summary>
    public static AuditEntry Draft(AuditKind kind) => new(0, default, kind, "");

    private async Task<AuditHead?> TryAppendAsync(IAuditRows rows, AuditEntry draft, AuditHead head, CancellationToken cancellation)
    {
        var entry = draft with
        {
            Sequence = head.Sequence + 1, PreviousHash = head.Hash, Time = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds()),
        };
        if (!await rows.AppendAsync(entry.Sequence, System.Text.Encoding.UTF8.GetBytes(entry.Text), cancellation)) return null;
        _head = new AuditHead(entry.Sequence, entry.Hash());
        try
        {
            PrivateFile.Write(FilePath, System.Text.Encoding.ASCII.GetBytes(_head + "\n"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.AuditHeadNotKept(FilePath, e.Message);
        }
        return _head;
    }

    /// <summary>Finds the head in the store. If what this node has seen is not there, an entry that says so comes first.</summary>
    private async Task<AuditHead> OpenAsync(IAuditRows rows, CancellationToken cancellation)
    {
        var (first, last) = await rows.BoundsAsync(cancellation);
        var head = last == 0 ? AuditHead.None : await HeadAtAsync(rows, last, cancellation) ?? new AuditHead(last, AuditEntry.NoHash);
        var seen = ReadSeen();
        bool isThere = seen is null || seen.Sequence < first
            || (seen.Sequence <= last && (await HeadAtAsync(rows, seen.Sequence, cancellation))?.Hash == seen.Hash);
        if (isThere) return head;
        log.AuditBroken(seen!.Sequence, last);
        return await TryAppendAsync(rows, Draft(AuditKind.Broken) with { Refers = seen.Sequence }, head, cancellation)
            ?? throw new StoreException("Other nodes append to the audit log at the same time.");
    }

    private static async Task<AuditHead?> HeadAtAsync(IAuditRows rows, ulong sequence, CancellationToken cancellation) =>
        await rows.ReadAsync(sequence - 1, 1, cancellation) is [{ Clear: { } clear } row] && row.Sequence == sequence
            && AuditEntry.Parse(clear) is { } entry ? new AuditHead(sequence, entry.Hash()) : null;

    private AuditHead? ReadSeen()
    {
        try
        {
            return File.Exists(FilePath) && AuditHead.Parse(File.ReadAllText(FilePath)) is { Sequence: > 0 } head ? head : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.AuditHeadNotKept(FilePath, e.Message);
            return null;
        }
    }
}
