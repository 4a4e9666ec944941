using System.Buffers.Binary;
using System.Text;
using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Actors.Conversations;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Endpoints;

/// <summary>Creates (once per request id), gets, lists, updates and deletes endpoints.</summary>
/// <param name="changes">Told of every change by this node: conversations in memory must follow.</param>
/// <param name="rotated">Told of endpoints that have got another key here.</param>
internal sealed class EndpointDirectory(IEndpointStore store, BoundedReads reads, Sealer sealer, KeyedIds ids, TimeProvider time,
    IRandomSource random, ComputeGate computing, RelayTelemetry telemetry, ILogger log, EndpointChangeSignals changes,
    Action<string>? rotated = null) : IEndpoints
{
    private const int MaxUpdateAttempts = 8;

    private const uint LeastInstanceTag = 0x100;

    public event Action<string>? Changed
    {
        add => changes.Notified += value;
        remove => changes.Notified -= value;
    }

    public async ValueTask<CreateEndpointReply> CreateAsync(CreateEndpoint request, CancellationToken cancellation)
    {
        RelayLimits.CheckRequestId(request.RequestId);
        RelayLimits.CheckAddress(request.Network);
        RelayLimits.CheckAddress(request.Account);
        using var given = request.Key;
        try
        {
            var requestHash = ids.Of("endpoint-request", Encoding.UTF8.GetBytes(request.RequestId));
            var content = Content(request);
            if (await FindRepetitionAsync(requestHash, content, cancellation).ConfigureAwait(false) is { } repeated) return repeated;

            using var made = given is null ? await GenerateAsync(cancellation).ConfigureAwait(false) : null;
            var key = given ?? made!;
            // As the row stores it, so that a repetition gets the same reply.
            var created = Now();
            var account = request.DrawsLocalPart ? $"{Draw()}@{request.Account}" : request.Account;
            var view = new EndpointView(request.EndpointId ?? MakeId(request.IdBeginning), request.Network, account, request.Settings,
                key.PublicKey.Fingerprint, MakeInstanceTag(), created, created, 1)
            {
                Expires = created + request.Life, Purges = created + request.Life, FormerIdentities = request.FormerIdentities,
            };
            var row = new EndpointRow(view.Id,
                AddressOf(ids, view.Network, view.Account), requestHash,
                content, EndpointRecord.Seal(sealer, view, key), PurgeMs: view.Purges?.ToUnixTimeMilliseconds());
            return await store.InsertEndpointAsync(row, cancellation).ConfigureAwait(false) switch
            {
                InsertEndpointResult.Inserted => new CreateEndpointReply.Created(view),
                InsertEndpointResult.IdTaken => new CreateEndpointReply.AlreadyExists("endpoint_id"),
                InsertEndpointResult.AddressTaken => new CreateEndpointReply.AlreadyExists("account"),
                // The same request was made concurrently.
                InsertEndpointResult.RequestSeen
                    => await FindRepetitionAsync(requestHash, content, cancellation).ConfigureAwait(false)
                    ?? new CreateEndpointReply.Unavailable("store"),
                InsertEndpointResult.TooMany => new CreateEndpointReply.Unavailable("endpoints"),
                var other => throw new InvalidOperationException($"Unknown result {other}."),
            };
        }
        catch (StoreException)
        {
            return new CreateEndpointReply.Unavailable("store");
        }
    }

    public async ValueTask<EndpointView?> GetAsync(string endpointId, CancellationToken cancellation)
        => await reads.ReadAsync(c => store.LoadEndpointAsync(endpointId, c), cancellation).ConfigureAwait(false) is { } row
            ? Open(row) : null;

    public async ValueTask<EndpointView?> FindActiveAsync(string endpointId, CancellationToken cancellation)
        => await GetAsync(endpointId, cancellation).ConfigureAwait(false) is { } view && view.IsActive(time.GetUtcNow()) ? view : null;

    public async ValueTask<EndpointPage> ListAsync(EndpointQuery query, CancellationToken cancellation)
    {
        int max = Math.Clamp(query.Max, 1, RelayLimits.MaxItemsPerRead);
        var page = new List<EndpointView>();
        var after = query.AfterId;
        for (int looked = 0; looked < RelayLimits.MaxEndpointsPerPage;)
        {
            var from = after;
            var rows = await reads.ReadAsync(c => store.ListEndpointsAsync(from, RelayLimits.MaxItemsPerRead, c), cancellation)
                .ConfigureAwait(false);
            foreach (var row in rows)
            {
                if (Open(row) is { } view && query.IsWanted(view))
                {
                    // One more than asked for: there is a next page.
                    if (page.Count == max) return new EndpointPage(page, page[^1].Id);
                    page.Add(view);
                }
                after = row.Id;
            }
            if (rows.Count < RelayLimits.MaxItemsPerRead) return new EndpointPage(page, null);
            looked += rows.Count;
        }
        return new EndpointPage(page, after);
    }

    public ValueTask<UpdateEndpointReply> UpdateAsync(string endpointId, Func<EndpointView, EndpointSettings> change, ulong? revision,
        CancellationToken cancellation)
        => ChangeAsync(endpointId, view => view.Deleted is null ? view with { Settings = change(view) } : null, revision, cancellation);

    public ValueTask<UpdateEndpointReply> DeleteAsync(string endpointId, bool purge, ulong? revision, CancellationToken cancellation)
        => ChangeAsync(endpointId, view =>
        {
            var now = Now();
            var purges = now + (purge ? RelayLimits.PurgeDelay : RelayLimits.DeletedEndpointLife);
            var deleted = view.Deleted ?? now;
            // A second deletion does not postpone the purge, and may only hasten it.
            if (view.Purges is { } due && due < purges) purges = due;
            var next = view with { Deleted = deleted, Purges = purges };
            return next == view ? view : next;
        }, revision, cancellation);

    public ValueTask<UpdateEndpointReply> UndeleteAsync(string endpointId, ulong? revision, CancellationToken cancellation)
        => ChangeAsync(endpointId, view => view.Deleted is null ? view : view with { Deleted = null, Purges = view.Expires },
            revision, cancellation);

    public async ValueTask<UpdateEndpointReply> RotateAsync(
        string endpointId, string requestId, ulong? revision, CancellationToken cancellation)
    {
        RelayLimits.CheckRequestId(requestId);
        var request = ids.Of("rotation-request", Encoding.UTF8.GetBytes(requestId));
        try
        {
            // Making a key is expensive: only for an endpoint that can take one.
            if (await GetAsync(endpointId, cancellation).ConfigureAwait(false) is not { } current)
                return new UpdateEndpointReply.NotFound();
            if (current.Deleted is not null) return new UpdateEndpointReply.Deleted();
            if (current.LastRotation == request) return new UpdateEndpointReply.Updated(current);
            if (revision is { } expected && expected != current.Revision) return new UpdateEndpointReply.Conflict();
            if (current.FormerIdentities.Count >= RelayLimits.MaxFormerIdentities) return new UpdateEndpointReply.TooManyRotations();
        }
        catch (StoreException)
        {
            return new UpdateEndpointReply.Unavailable("store");
        }
        using var made = await GenerateAsync(cancellation).ConfigureAwait(false);
        var reply = await ChangeAsync(endpointId, view => view.Deleted is not null ? null : view.LastRotation == request ? view : view with
        {
            Fingerprint = made.PublicKey.Fingerprint,
            FormerIdentities = view.FormerIdentities.With(new FormerIdentity(view.Fingerprint, Now())),
            LastRotation = request,
        }, revision, cancellation, made).ConfigureAwait(false);
        if (reply is UpdateEndpointReply.Updated or UpdateEndpointReply.Unavailable) rotated?.Invoke(endpointId);
        return reply;
    }

    public async Task WhenInactiveAsync(string endpointId, CancellationToken cancellation)
    {
        while (true)
        {
            var change = changes.NextChange(endpointId);
            try
            {
                if (await FindActiveAsync(endpointId, cancellation).ConfigureAwait(false) is not { } view) return;
                if (view.Expires is not { } expires)
                {
                    await change.WaitAsync(cancellation).ConfigureAwait(false);
                    continue;
                }
                // The delay of a timer is bounded; a longer life is looked at again.
                var left = expires - time.GetUtcNow();
                var sleep = left < RelayLimits.LongestDeadlineSleep ? left : RelayLimits.LongestDeadlineSleep;
                await change.WaitAsync(sleep > TimeSpan.Zero ? sleep : TimeSpan.Zero, time, cancellation).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                // It may have expired.
            }
            catch (StoreException)
            {
                await Sleep.ForAsync(RelayLimits.SweepRetry, time, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <param name="change">
    /// Makes the next state; the current one if there is nothing to change; null if it is deleted, and cannot be changed so.
    /// </param>
    private async ValueTask<UpdateEndpointReply> ChangeAsync(string endpointId, Func<EndpointView, EndpointView?> change, ulong? revision,
        CancellationToken cancellation, DsaPrivateKey? newKey = null)
    {
        try
        {
            for (int attempt = 0; attempt < MaxUpdateAttempts; attempt++)
            {
                if (await reads.ReadAsync(c => store.LoadEndpointAsync(endpointId, c), cancellation).ConfigureAwait(false) is not { } row
                    || row.Sealed.Length == 0) return new UpdateEndpointReply.NotFound();
                if (revision is { } seen && seen != row.Revision) return new UpdateEndpointReply.Conflict();
                if (EndpointRecord.TryOpen(sealer, row) is not var (view, key)) return new UpdateEndpointReply.Unavailable("damaged");
                using (key)
                {
                    // Its purge is due, or has begun on another node: there is nothing to be changed any more.
                    if (view.Purges <= time.GetUtcNow()) return new UpdateEndpointReply.NotFound();
                    if (change(view) is not { } changed) return new UpdateEndpointReply.Deleted();
                    if (ReferenceEquals(changed, view)) return new UpdateEndpointReply.Updated(view);
                    var next = changed with { Updated = Now(), Revision = view.Revision + 1 };
                    if (!await store.UpdateEndpointAsync(endpointId, row.Revision, EndpointRecord.Seal(sealer, next, newKey ?? key),
                        next.Purges?.ToUnixTimeMilliseconds(), cancellation).ConfigureAwait(false)) continue;
                    changes.Changed(endpointId, next.Revision);
                    return new UpdateEndpointReply.Updated(next);
                }
            }
            return new UpdateEndpointReply.Conflict();
        }
        catch (StoreException)
        {
            // It may have been stored: conversations in memory must not keep settings that are not the stored ones.
            changes.Changed(endpointId, AccountCache.UnknownRevision);
            return new UpdateEndpointReply.Unavailable("store");
        }
    }

    /// <summary>The time in the precision of a row, which is a millisecond.</summary>
    private DateTimeOffset Now() => DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());

    private async ValueTask<CreateEndpointReply?> FindRepetitionAsync(UInt128 request, UInt128 content, CancellationToken cancellation)
    {
        if (await reads.ReadAsync(c => store.FindEndpointByRequestAsync(request, c), cancellation).ConfigureAwait(false) is not { } row)
            return null;
        if (row.RequestContent != content) return new CreateEndpointReply.RequestIdReused();
        return Open(row) is { } view ? new CreateEndpointReply.Created(view) : new CreateEndpointReply.Unavailable("damaged");
    }

    /// <returns>Null if it is being purged, or damaged.</returns>
    private EndpointView? Open(EndpointRow row)
    {
        if (row.Sealed.Length == 0) return null;
        if (EndpointRecord.TryOpenView(sealer, row) is { } view) return view;
        telemetry.DidNotOpen(SealedThing.Endpoint);
        RelayLog.EndpointDamaged(log, row.Id);
        return null;
    }

    private async ValueTask<DsaPrivateKey> GenerateAsync(CancellationToken cancellation)
    {
        // There is no endpoint yet: all key generations together count as one in the gate.
        await computing.EnterAsync("", cancellation).ConfigureAwait(false);
        try
        {
            return await Task.Run(() => DsaPrivateKey.Generate(random), cancellation).ConfigureAwait(false);
        }
        finally
        {
            computing.Leave();
        }
    }

    private UInt128 Content(CreateEndpoint request)
    {
        using var row = new RowWriter();
        row.Text(request.EndpointId ?? (request.IdBeginning is { } beginning ? beginning + "*" : ""));
        row.Text(request.Network);
        row.Text(request.Account);
        EndpointSettingsCodec.Write(row, request.Settings);
        SessionCodec.WriteFingerprint(row, request.Key?.PublicKey.Fingerprint);
        row.Int64(request.Life?.Ticks ?? 0);
        row.Bool(request.DrawsLocalPart);
        return ids.Of("endpoint-content", row.Written);
    }

    private string MakeId(string? beginning) => (beginning ?? "e-") + Draw()[..RelayLimits.GeneratedIdLength];

    /// <summary>As many random bits as a burner's address has, in lower-case base32.</summary>
    private string Draw()
    {
        Span<byte> bytes = stackalloc byte[RelayLimits.BurnerBits / 8];
        random.Fill(bytes);
        return KeyedIds.Base32(BinaryPrimitives.ReadUInt128BigEndian(bytes));
    }

    private uint MakeInstanceTag()
    {
        Span<byte> bytes = stackalloc byte[4];
        uint tag;
        do
        {
            random.Fill(bytes);
            tag = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        }
        while (tag < LeastInstanceTag);
        return tag;
    }

    /// <summary>The keyed hash of an address, which is unique among the endpoints of a store.</summary>
    public static UInt128 AddressOf(KeyedIds ids, string network, string account)
        => ids.Of("endpoint-address", Encoding.UTF8.GetBytes(network), Encoding.UTF8.GetBytes(account));
}
