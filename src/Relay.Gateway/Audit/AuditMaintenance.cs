using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Relay.Actors.Audit;
using Relay.Gateway.Hosting;
using Relay.Storage;

namespace Relay.Gateway.Audit;

/// <summary>Counts the calls that were refused because of who called. Thread-safe.</summary>
internal sealed class SignInRefusals
{
    private long _unauthenticated, _denied;

    public void Count(StatusCode status)
    {
        if (status == StatusCode.Unauthenticated) Interlocked.Increment(ref _unauthenticated);
        else Interlocked.Increment(ref _denied);
    }

    /// <summary>The counts since the last call, without zeros.</summary>
    public IEnumerable<(StatusCode Status, long Count)> Take()
    {
        if (Interlocked.Exchange(ref _unauthenticated, 0) is > 0 and var unauthenticated)
            yield return (StatusCode.Unauthenticated, unauthenticated);
        if (Interlocked.Exchange(ref _denied, 0) is > 0 and var denied) yield return (StatusCode.PermissionDenied, denied);
    }
}

/// <summary>
/// Records when the node starts, and every hour how many calls were refused; removes entries that are older than is kept, and records that.
/// </summary>
internal sealed class AuditMaintenance(
    AuditLog audit, SignInRefusals refusals, RelayService relay, IOptions<RelayOptions> options, TimeProvider time) : BackgroundService
{
    private bool _isStarted;

    /// <summary>Records the start before any call is accepted, if the store answers.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (relay.Relay.Audit is { } rows) _isStarted = await TryAsync(() => RecordStartAsync(rows, cancellationToken));
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (relay.Relay.Audit is not { } rows) return;
        while (!stoppingToken.IsCancellationRequested)
        {
            if (!_isStarted) _isStarted = await TryAsync(() => RecordStartAsync(rows, stoppingToken));
            if (audit.IsEnabled) await TryAsync(() => RecordRefusalsAsync(stoppingToken));
            await TryAsync(() => TrimAsync(rows, stoppingToken));
            await Task.Delay(GatewayLimits.AuditInterval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (relay.IsOpen && audit.IsEnabled) await TryAsync(() => RecordRefusalsAsync(cancellationToken));
    }

    private async Task RecordStartAsync(IAuditRows rows, CancellationToken cancellation)
    {
        if (audit.IsEnabled)
        {
            await audit.AppendAsync(AuditLog.Draft(AuditKind.Started), cancellation);
            return;
        }
        // What was recorded until now shows that it goes no further. A log that was never on stays empty.
        var (_, last) = await rows.BoundsAsync(cancellation);
        if (last == 0 || Parse((await rows.ReadAsync(last - 1, 1, cancellation)).FirstOrDefault())?.Kind == AuditKind.SwitchedOff) return;
        await audit.AppendAsync(AuditLog.Draft(AuditKind.SwitchedOff), cancellation);
    }

    private async Task RecordRefusalsAsync(CancellationToken cancellation)
    {
        foreach (var (status, count) in refusals.Take())
        {
            await audit.AppendAsync(
                AuditLog.Draft(AuditKind.Refused) with { Method = status.ToString(), Status = (int)status, Count = count }, cancellation);
        }
    }

    private async Task TrimAsync(IAuditRows rows, CancellationToken cancellation)
    {
        var (first, last) = await rows.BoundsAsync(cancellation);
        if (last == 0) return;
        var oldest = time.GetUtcNow() - options.Value.Audit.Keep;
        ulong through = last > GatewayLimits.MaxAuditEntries ? last - GatewayLimits.MaxAuditEntries : 0;
        for (ulong at = Math.Max(first - 1, through); at < last;)
        {
            var page = await rows.ReadAsync(at, GatewayLimits.MaxPageSize, cancellation);
            // Entries that do not open go with those around them.
            foreach (var row in page.TakeWhile(r => !(Parse(r)?.Time >= oldest))) through = row.Sequence;
            if (page.Count == 0 || through < page[^1].Sequence) break;
            at = page[^1].Sequence;
        }
        through = Math.Min(through, last - 1);
        if (through < first) return;
        // First the entry: rows that are missing without one would look like an attack.
        await audit.AppendAsync(AuditLog.Draft(AuditKind.Trimmed) with { Refers = through }, cancellation);
        await rows.TrimAsync(through, cancellation);
    }

    private static AuditEntry? Parse(OpenedAuditRow? row) => row?.Clear is { } clear ? AuditEntry.Parse(clear) : null;

    /// <summary>False if the store failed: the next time does it.</summary>
    private static async Task<bool> TryAsync(Func<Task> work)
    {
        try
        {
            await work();
            return true;
        }
        catch (Exception e) when (e is StoreException or OperationCanceledException)
        {
            return false;
        }
    }
}

/// <summary>Registers the audit log.</summary>
internal static class AuditExtensions
{
    public static void AddRelayAudit(this IServiceCollection services)
    {
        services.AddSingleton<AuditLog>();
        services.AddSingleton<SignInRefusals>();
        services.AddHostedService<AuditMaintenance>();
    }
}
