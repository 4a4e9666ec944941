using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Relay.Actors;
using Relay.Actors.Audit;
using Relay.Gateway.Api;
using Relay.Gateway.Audit;
using Relay.Gateway.Auth;

namespace Relay.Gateway.Services;

/// <summary>Reads pages of the audit log for <see cref="AdminService"/>.</summary>
internal static class AuditEntries
{
    public static async Task<V1.ListAuditEntriesResponse> ListAsync(
        IRelay relay, Principal caller, V1.ListAuditEntriesRequest request, CancellationToken cancellation)
    {
        var violations = new Violations();
        var page = Paging.Parse(request.PageSize, request.PageToken, violations);
        ulong after = request.AfterSequence;
        violations.AddIf(page.AfterId is { } id && !ulong.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out after),
            "page_token", "was not issued by this server");
        violations.AddIf(after > long.MaxValue, "after_sequence", "is beyond any entry");
        violations.ThrowIfAny();
        // Entries about other endpoints could be left out, but not without breaking the chain.
        if (!caller.Endpoints.IsAll)
            throw ApiErrors.PermissionDenied(Reasons.EndpointNotAllowed, "A key that is limited to endpoints cannot read the audit log.");
        var response = new V1.ListAuditEntriesResponse();
        if (relay.Audit is not { } rows) return response;
        var read = await rows.ReadAsync(after, page.Size, cancellation);
        response.AuditEntries.AddRange(read.Select(ToMessage));
        response.NextPageToken = page.NextToken(read.Count, () => read[^1].Sequence.ToString(CultureInfo.InvariantCulture));
        (_, response.LastSequence) = await rows.BoundsAsync(cancellation);
        return response;
    }

    private static V1.AuditEntry ToMessage(OpenedAuditRow row)
    {
        if (row.Clear is not { } clear || AuditEntry.Parse(clear) is not { } entry)
            return new V1.AuditEntry { Sequence = row.Sequence, Damaged = true };
        return new V1.AuditEntry
        {
            Sequence = row.Sequence,
            CreateTime = entry.Time.ToTimestamp(),
            Kind = (V1.AuditKind)entry.Kind,
            Caller = entry.Caller,
            Method = entry.Method,
            Resource = entry.Resource,
            Status = entry.Status,
            Count = entry.Count,
            Refers = entry.Refers,
            PreviousHash = ByteString.CopyFrom(Convert.FromHexString(entry.PreviousHash)),
            Hash = ByteString.CopyFrom(Convert.FromHexString(entry.Hash())),
        };
    }
}
