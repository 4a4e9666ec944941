using System.Buffers.Binary;
using System.Text;
using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Actors.Conversations;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Endpoints;

/// <summary>Creates (once per request id), gets, lists and updates endpoints.</summary>
/// <param name="updated">Called with every update of this node: conversations in memory must follow.</param>
internal sealed class EndpointDirectory(IEndpointStore store, BoundedReads reads, Sealer sealer, KeyedIds ids, TimeProvider time,
    IRandomSource random, ComputeGate computing, RelayTelemetry telemetry, ILogger log, Action<string, ulong> updated) : IEndpoints
{
    private const int MaxUpdateAttempts = 8;

    private const uint LeastInstanceTag = 0x100;

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
            var view = new EndpointView(request.EndpointId ?? MakeId(), request.Network, request.Account, request.Settings,
                key.PublicKey.Fingerprint, MakeInstanceTag(), created, created, 1);
            var row = new EndpointRow(view.Id,
                ids.Of("endpoint-address", Encoding.UTF8.GetBytes(view.Network), Encoding.UTF8.GetBytes(view.Account)), requestHash,
                content, EndpointRecord.Seal(sealer, view, key));
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

    public async ValueTask<IReadOnlyList<EndpointView>> ListAsync(string? afterId, int max, CancellationToken cancellation)
    {
        var rows = await reads.ReadAsync(c => store.ListEndpointsAsync(afterId, Math.Clamp(max, 0, RelayLimits.MaxItemsPerRead), c),
            cancellation).ConfigureAwait(false);
        return [.. rows.Select(Open).OfType<EndpointView>()];
    }

    public async ValueTask<UpdateEndpointReply> UpdateAsync(string endpointId, Func<EndpointView, EndpointSettings> change, ulong? revision,
        CancellationToken cancellation)
    {
        try
        {
            for (int attempt = 0; attempt < MaxUpdateAttempts; attempt++)
            {
                if (await reads.ReadAsync(c => store.LoadEndpointAsync(endpointId, c), cancellation).ConfigureAwait(false) is not { } row)
                    return new UpdateEndpointReply.NotFound();
                if (revision is { } seen && seen != row.Revision) return new UpdateEndpointReply.Conflict();
                if (EndpointRecord.TryOpen(sealer, row) is not var (view, key)) return new UpdateEndpointReply.Unavailable("damaged");
                using (key)
                {
                    var next = view with { Settings = change(view), Updated = Now(), Revision = view.Revision + 1 };
                    if (!await store.UpdateEndpointAsync(endpointId, row.Revision, EndpointRecord.Seal(sealer, next, key), cancellation)
                        .ConfigureAwait(false)) continue;
                    updated(endpointId, next.Revision);
                    return new UpdateEndpointReply.Updated(next);
                }
            }
            return new UpdateEndpointReply.Conflict();
        }
        catch (StoreException)
        {
            // It may have been stored: conversations in memory must not keep settings that are not the stored ones.
            updated(endpointId, AccountCache.UnknownRevision);
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

    private EndpointView? Open(EndpointRow row)
    {
        if (EndpointRecord.TryOpenView(sealer, row) is { } view) return view;
        telemetry.Quarantined("endpoint");
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
        row.Text(request.EndpointId ?? "");
        row.Text(request.Network);
        row.Text(request.Account);
        EndpointSettingsCodec.Write(row, request.Settings);
        SessionCodec.WriteFingerprint(row, request.Key?.PublicKey.Fingerprint);
        return ids.Of("endpoint-content", row.Written);
    }

    private string MakeId()
    {
        Span<byte> bytes = stackalloc byte[16];
        random.Fill(bytes);
        return "e-" + KeyedIds.Base32(BinaryPrimitives.ReadUInt128BigEndian(bytes))[..16];
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
}
