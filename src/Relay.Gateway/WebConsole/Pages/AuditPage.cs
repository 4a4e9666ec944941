using System.Globalization;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.WebConsole.Pages;

/// <summary>The audit log, the latest entries first.</summary>
internal static class AuditPage
{
    /// <summary>What methods did, in words; others are told by their name.</summary>
    private static readonly Dictionary<string, string> s_words = new(StringComparer.Ordinal)
    {
        ["Console/SignIn"] = "signed in to the console",
        ["EndpointService/CreateEndpoint"] = "created",
        ["EndpointService/UpdateEndpoint"] = "changed",
        ["EndpointService/DeleteEndpoint"] = "deleted",
        ["EndpointService/UndeleteEndpoint"] = "took back into use",
        ["EndpointService/RotateIdentity"] = "gave a new identity key to",
        ["EndpointService/ExportIdentity"] = "exported the identity of",
        ["EndpointService/ImportIdentity"] = "imported an identity as",
        ["ConversationService/DeleteConversation"] = "deleted a conversation of",
        ["IdentityService/UpdateIdentity"] = "set the trust in a peer's key at",
        ["IdentityService/AcceptIdentity"] = "accepted a peer's key at",
        ["IdentityService/RefuseIdentity"] = "refused a peer's key at",
        ["IdentityService/ImportIdentities"] = "imported peers' keys to",
        ["SubscriptionService/CreateSubscription"] = "created",
        ["SubscriptionService/UpdateSubscription"] = "changed",
        ["SubscriptionService/DeleteSubscription"] = "deleted",
        ["SubscriptionService/DropDeadLetters"] = "dropped dead letters of",
        ["AdminService/CreateApiKey"] = "created",
        ["AdminService/RotateApiKey"] = "rotated",
        ["AdminService/UpdateApiKey"] = "changed",
        ["AdminService/RevokeApiKey"] = "revoked",
        ["AdminService/DeleteApiKey"] = "deleted",
    };

    public static async Task<ConsoleReply> ShowAsync(Visit visit)
    {
        var names = NamesOf(await KeyPages.AllAsync(visit));
        ulong before = ulong.TryParse(visit.Query("page"), NumberStyles.None, CultureInfo.InvariantCulture, out ulong given) ? given : 0;
        var entries = await ReadAsync(visit, GatewayLimits.ConsoleRows, before);
        var rows = entries.Select(e => Markup.Of($"""
            <tr><td class="r nw">{e.Sequence.ToString(CultureInfo.InvariantCulture)}</td><td class="nw">{Parts.Time(e.CreateTime, visit.Now)}</td><td>{Who(e, names)}</td><td>{What(e)}</td><td>{Markup.Foreign(e.Resource)}</td><td>{Outcome(e)}</td></tr>
            """)).ToList();
        var next = entries.Count > 0 && entries[^1].Sequence > 1 ? entries[^1].Sequence.ToString(CultureInfo.InvariantCulture) : "";
        return new ConsoleReply.Page("Audit", "/audit", Markup.Of($"""
            {Parts.Table("Entries", Parts.Aside("the latest first"), Markup.Of($"""<th class="r">No.</th><th>Time</th><th>Who</th><th>What</th><th>Of what</th><th>Outcome</th>"""), rows, "Nothing is recorded, or the audit log is switched off.")}
            {Parts.Next("/audit", next)}
            <p class="hint">Neither peers nor conversations are in it, nor any text. <code>relay audit verify</code> checks that no entry was changed, moved or removed.</p>
            """));
    }

    /// <summary>The latest entries, the last first; none for a caller who may not see them.</summary>
    public static Task<IReadOnlyList<V1.AuditEntry>> LastAsync(Visit visit, int count) => ReadAsync(visit, count, 0);

    public static Markup Recent(Visit visit, IReadOnlyList<V1.AuditEntry> entries, IReadOnlyList<V1.ApiKey> keys)
    {
        if (!visit.May("AdminService/ListAuditEntries")) return Markup.Empty;
        // What a call's end says includes what its beginning said.
        var ended = entries.Where(e => e.Kind is V1.AuditKind.Done or V1.AuditKind.Failed).Select(e => e.Refers).ToHashSet();
        var names = NamesOf(keys);
        var rows = entries.Where(e => e.Kind != V1.AuditKind.Begun || !ended.Contains(e.Sequence)).Select(e => Markup.Of($"""
            <li>{Parts.Time(e.CreateTime, visit.Now)}<p><b>{Who(e, names)}</b> {What(e)} <span class="on">{Markup.Foreign(e.Resource)}</span></p>{(e.Kind is V1.AuditKind.Failed or V1.AuditKind.Refused or V1.AuditKind.Broken || e.Damaged ? Outcome(e) : Markup.Empty)}</li>
            """)).ToList();
        return Parts.Card("Recent administration", Parts.Link("/audit", "Audit"),
            rows.Count == 0 ? Markup.Of($"""<p class="sub">Nothing is recorded.</p>""") : Markup.Of($"""<ol class="audit">{rows}</ol>"""));
    }

    private static async Task<IReadOnlyList<V1.AuditEntry>> ReadAsync(Visit visit, int count, ulong before)
    {
        if (!visit.May("AdminService/ListAuditEntries") || !visit.Caller.Endpoints.IsAll) return [];
        if (before == 0)
        {
            var end = await visit.CallAsync(visit.Api.Admin.ListAuditEntries,
                new V1.ListAuditEntriesRequest { AfterSequence = long.MaxValue, PageSize = 1 });
            before = end.LastSequence + 1;
        }
        if (before <= 1) return [];
        ulong after = before - 1 > (ulong)count ? before - 1 - (ulong)count : 0;
        var page = await visit.CallAsync(visit.Api.Admin.ListAuditEntries,
            new V1.ListAuditEntriesRequest { AfterSequence = after, PageSize = count });
        return [.. page.AuditEntries.Where(e => e.Sequence < before).Reverse()];
    }

    private static Dictionary<string, string> NamesOf(IReadOnlyList<V1.ApiKey> keys) =>
        keys.Where(k => k.DisplayName.Length > 0).ToDictionary(k => k.Name, k => k.DisplayName);

    private static Markup Who(V1.AuditEntry entry, Dictionary<string, string> names) => entry.Caller.Length == 0
        ? Markup.Of($"{(entry.Damaged ? "?" : "Relay")}") : Markup.Foreign(names.GetValueOrDefault(entry.Caller, entry.Caller));

    private static Markup What(V1.AuditEntry entry) => entry.Damaged ? Markup.Of($"this entry cannot be decrypted") : entry.Kind switch
    {
        V1.AuditKind.Refused => Markup.Of($"refused {Parts.Count(entry.Count, "call")} ({entry.Method})"),
        V1.AuditKind.Started => Markup.Of($"started a node"),
        V1.AuditKind.SwitchedOff => Markup.Of($"started a node with the audit log off"),
        V1.AuditKind.Trimmed => Markup.Of($"removed old entries"),
        V1.AuditKind.Broken => Markup.Of($"found that the log's end was removed"),
        _ => Markup.Of($"{s_words.GetValueOrDefault(entry.Method, entry.Method)}"),
    };

    private static Markup Outcome(V1.AuditEntry entry) => entry switch
    {
        { Damaged: true } => Parts.State("bad", "Damaged"),
        { Kind: V1.AuditKind.Begun } => Parts.State("ok", "Recorded"),
        { Kind: V1.AuditKind.Done } => Parts.State("ok", "Done"),
        { Kind: V1.AuditKind.Failed, Status: (int)Grpc.Core.StatusCode.PermissionDenied } => Parts.State("bad", "Denied"),
        { Kind: V1.AuditKind.Failed } => Parts.State("warn", $"Failed: {(Grpc.Core.StatusCode)entry.Status}"),
        { Kind: V1.AuditKind.Refused } => Parts.State("warn", "Refused"),
        { Kind: V1.AuditKind.Broken } => Parts.State("bad", "Broken"),
        _ => Parts.State("off", "Note"),
    };
}
