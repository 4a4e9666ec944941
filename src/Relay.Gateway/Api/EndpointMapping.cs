using System.Globalization;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using Otr.Core;
using Relay.Actors;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Api;

/// <summary>Converts endpoints and their settings to messages of the API and back.</summary>
internal static class EndpointMapping
{
    /// <summary>The fields that may be changed, by their names in the API.</summary>
    private static readonly string[] s_mutable =
    [
        "display_name", "policy", "max_wire_bytes", "single_line", "query_text", "padding_block", "session_idle_life",
        "verification_answer_time", "text_format", "disable_event_stream",
    ];

    /// <summary>More than an endpoint has: each wrong one is told.</summary>
    private const int MaxPaths = 64;

    private static readonly TimeSpan s_shortestIdleLife = TimeSpan.FromMinutes(1), s_longestIdleLife = TimeSpan.FromDays(365),
        s_longestAnswerTime = TimeSpan.FromHours(1);

    public static V1.Endpoint ToMessage(EndpointView view)
    {
        var settings = view.Settings;
        var endpoint = new V1.Endpoint
        {
            Name = ResourceNames.Endpoint(view.Id),
            Network = view.Network,
            Account = view.Account,
            Policy = ToMessage(settings),
            Fingerprint = view.Fingerprint.ToHex(),
            InstanceTag = view.InstanceTag,
            MaxWireBytes = (uint)settings.MaxWireBytes,
            CreateTime = view.Created.ToTimestamp(),
            UpdateTime = view.Updated.ToTimestamp(),
            Etag = Etag(view.Revision),
            DisplayName = settings.DisplayName,
            SingleLine = settings.SingleLine,
            PaddingBlock = (uint)settings.PaddingBlock,
            DisableEventStream = !settings.HasOwnEventStream,
            HasAnswerSecret = settings.AnswerSecret is not null,
            SessionIdleLife = settings.SessionIdleLife.ToDuration(),
            VerificationAnswerTime = settings.VerificationAnswerTime.ToDuration(),
            TextFormat = settings.TextFormat switch
            {
                TextFormat.Plain => V1.Endpoint.Types.TextFormat.Plain,
                TextFormat.Html => V1.Endpoint.Types.TextFormat.Html,
                _ => V1.Endpoint.Types.TextFormat.Auto,
            },
        };
        if (settings.QueryText is { } text) endpoint.QueryText = text;
        if (view.Expires is { } expires) endpoint.ExpireTime = expires.ToTimestamp();
        if (view.Deleted is { } deleted) endpoint.DeleteTime = deleted.ToTimestamp();
        if (view.Purges is { } purges) endpoint.PurgeTime = purges.ToTimestamp();
        endpoint.FormerIdentities.AddRange(view.FormerIdentities.Reverse().Take(GatewayLimits.MaxFormerIdentities).Select(f =>
            new V1.FormerIdentity { Fingerprint = f.Fingerprint.ToHex(), RetireTime = f.Retired.ToTimestamp() }));
        return endpoint;
    }

    /// <summary>The settings of a message, with a violation for each that is not valid.</summary>
    /// <param name="prefix">Of the names of the fields: <c>endpoint.</c> in an update.</param>
    public static EndpointSettings ToSettings(V1.Endpoint endpoint, string prefix, Violations violations)
    {
        violations.AddIf(endpoint.DisplayName.Length > GatewayLimits.MaxDisplayNameLength || endpoint.DisplayName.Any(char.IsControl),
            prefix + "display_name", $"must have at most {GatewayLimits.MaxDisplayNameLength} characters, none of them control characters");
        violations.AddIf(endpoint.MaxWireBytes is not 0 and (< GatewayLimits.MinWireLimitBytes or > GatewayLimits.MaxWireBytes),
            prefix + "max_wire_bytes", $"must be 0, or {GatewayLimits.MinWireLimitBytes} to {GatewayLimits.MaxWireBytes}");
        violations.AddIf(
            endpoint.PaddingBlock > OtrLimits.MaxPaddingBlock, prefix + "padding_block", $"must be 0 to {OtrLimits.MaxPaddingBlock}");
        var queryText = endpoint.QueryText;
        violations.AddIf(Encoding.UTF8.GetByteCount(queryText) > OtrLimits.MaxQueryTextBytes || queryText.Any(char.IsControl),
            prefix + "query_text", $"must have at most {OtrLimits.MaxQueryTextBytes} bytes and no control characters");
        var standard = new EndpointSettings();
        var idle = Time(endpoint.SessionIdleLife, standard.SessionIdleLife, s_shortestIdleLife, s_longestIdleLife);
        violations.AddIf(idle is null, prefix + "session_idle_life", "must be zero, or one minute to 365 days");
        var answer = Time(endpoint.VerificationAnswerTime, standard.VerificationAnswerTime, TimeSpan.Zero, s_longestAnswerTime);
        violations.AddIf(answer is null, prefix + "verification_answer_time", "must be zero to one hour");
        var policy = endpoint.Policy ?? new V1.Policy();
        return new EndpointSettings
        {
            DisplayName = endpoint.DisplayName,
            Policy = ToPolicy(endpoint.Policy),
            MaxWireBytes = (int)Math.Min(endpoint.MaxWireBytes, int.MaxValue),
            SingleLine = endpoint.SingleLine,
            QueryText = endpoint.HasQueryText ? endpoint.QueryText : null,
            AnswersStrangers = !policy.IgnoreStrangers,
            KeyChange = Known(policy.KeyChange, prefix + "policy.key_change", violations) switch
            {
                V1.Policy.Types.KeyChange.Refuse => KeyChangeAction.Refuse,
                V1.Policy.Types.KeyChange.Hold => KeyChangeAction.Hold,
                _ => KeyChangeAction.Report,
            },
            TrustRequirement = Known(policy.RequireVerified, prefix + "policy.require_verified", violations) switch
            {
                V1.Policy.Types.RequireVerified.OnceVerified => TrustRequirement.OnceTrusted,
                V1.Policy.Types.RequireVerified.Always => TrustRequirement.Always,
                _ => TrustRequirement.None,
            },
            PaddingBlock = (int)Math.Min(endpoint.PaddingBlock, OtrLimits.MaxPaddingBlock),
            HasOwnEventStream = !endpoint.DisableEventStream,
            SessionIdleLife = idle ?? default,
            VerificationAnswerTime = answer ?? default,
            TextFormat = Known(endpoint.TextFormat, prefix + "text_format", violations) switch
            {
                V1.Endpoint.Types.TextFormat.Plain => TextFormat.Plain,
                V1.Endpoint.Types.TextFormat.Html => TextFormat.Html,
                _ => TextFormat.Auto,
            },
        };
    }

    /// <summary>Adds a violation if the mask is missing, or names what cannot be changed.</summary>
    public static void CheckMask(FieldMask mask, Violations violations)
    {
        violations.AddIf(mask.Paths.Count == 0, "update_mask", "is required");
        if (mask.Paths.Count > MaxPaths)
        {
            violations.Add("update_mask", $"may name at most {MaxPaths} fields");
            return;
        }
        foreach (var path in mask.Paths)
        {
            if (!FieldMask.IsValid<V1.Endpoint>(path)) violations.Add("update_mask", "names a field that an endpoint does not have");
            else if (!s_mutable.Contains(path.Split('.')[0])) violations.Add("update_mask", $"{path} cannot be changed");
        }
    }

    /// <summary>The settings after an update: the current ones with the fields that the mask names.</summary>
    /// <param name="mask">Checked by <see cref="CheckMask"/>.</param>
    public static EndpointSettings Merge(EndpointView current, V1.Endpoint change, FieldMask mask, Violations violations)
    {
        var merged = ToMessage(current);
        FieldMasks.Merge(mask, change, merged);
        return ToSettings(merged, "endpoint.", violations) with
        {
            Subscriptions = current.Settings.Subscriptions, AnswerSecret = current.Settings.AnswerSecret,
        };
    }

    public static string Etag(ulong revision) => revision.ToString(CultureInfo.InvariantCulture);

    /// <returns>False if no endpoint has such an etag.</returns>
    public static bool TryParseEtag(string etag, out ulong? revision)
    {
        revision = null;
        if (etag.Length == 0) return true;
        bool isNumber = ulong.TryParse(etag, NumberStyles.None, CultureInfo.InvariantCulture, out ulong parsed);
        if (isNumber) revision = parsed;
        return isNumber;
    }

    private static V1.Policy ToMessage(EndpointSettings settings)
    {
        var policy = settings.Policy;
        return new V1.Policy
        {
            AllowV2 = policy.HasFlag(OtrPolicy.AllowV2),
            AllowV3 = policy.HasFlag(OtrPolicy.AllowV3),
            RequireEncryption = policy.HasFlag(OtrPolicy.RequireEncryption),
            SendWhitespaceTag = policy.HasFlag(OtrPolicy.SendWhitespaceTag),
            StartOnWhitespaceTag = policy.HasFlag(OtrPolicy.WhitespaceStartAke),
            StartOnError = policy.HasFlag(OtrPolicy.ErrorStartAke),
            KeyChange = settings.KeyChange switch
            {
                KeyChangeAction.Refuse => V1.Policy.Types.KeyChange.Refuse,
                KeyChangeAction.Hold => V1.Policy.Types.KeyChange.Hold,
                _ => V1.Policy.Types.KeyChange.Report,
            },
            RequireVerified = settings.TrustRequirement switch
            {
                TrustRequirement.OnceTrusted => V1.Policy.Types.RequireVerified.OnceVerified,
                TrustRequirement.Always => V1.Policy.Types.RequireVerified.Always,
                _ => V1.Policy.Types.RequireVerified.Never,
            },
            IgnoreStrangers = !settings.AnswersStrangers,
        };
    }

    private static OtrPolicy ToPolicy(V1.Policy? policy)
    {
        if (policy is null) return OtrPolicy.Managed;
        var p = OtrPolicy.Never;
        if (policy.AllowV2) p |= OtrPolicy.AllowV2;
        if (!policy.HasAllowV3 || policy.AllowV3) p |= OtrPolicy.AllowV3;
        if (!policy.HasRequireEncryption || policy.RequireEncryption) p |= OtrPolicy.RequireEncryption;
        if (policy.SendWhitespaceTag) p |= OtrPolicy.SendWhitespaceTag;
        if (policy.StartOnWhitespaceTag) p |= OtrPolicy.WhitespaceStartAke;
        if (policy.StartOnError) p |= OtrPolicy.ErrorStartAke;
        return p;
    }

    private static T Known<T>(T value, string field, Violations violations) where T : struct, System.Enum
    {
        violations.AddIf(!System.Enum.IsDefined(value), field, "has a value that is not known");
        return value;
    }

    /// <returns>Null if it is out of range.</returns>
    private static TimeSpan? Time(Duration? asked, TimeSpan standard, TimeSpan least, TimeSpan most)
    {
        if (asked is null) return standard;
        return RequestDurations.Within(asked, most) is { } time && (time == TimeSpan.Zero || time >= least) ? time : null;
    }
}
