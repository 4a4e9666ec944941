using System.Text;
using Google.Protobuf.WellKnownTypes;
using Relay.Actors;

namespace Relay.Gateway.Api;

/// <summary>Reads the changes of a conversation's labels.</summary>
internal static class LabelUpdates
{
    private const string All = "labels", One = "labels.";

    /// <summary>The change that a request with a mask asks for, with a violation for each part of it that is not valid.</summary>
    public static Command.SetLabels Parse(
        string requestId, V1.Conversation conversation, FieldMask mask, ulong? revision, Violations violations)
    {
        violations.AddIf(mask.Paths.Count == 0, "update_mask", "is required");
        violations.AddIf(mask.Paths.Count > RelayLimits.MaxLabels + 1, "update_mask", $"may name at most {RelayLimits.MaxLabels} labels");
        violations.AddIf(
            conversation.Labels.Count > RelayLimits.MaxLabels, "conversation.labels", $"may be at most {RelayLimits.MaxLabels}");
        bool replacesAll = mask.Paths.Contains(All);
        var changes = new SortedDictionary<string, string?>(StringComparer.Ordinal);
        if (replacesAll) foreach (var (key, value) in conversation.Labels) changes[key] = value;
        foreach (var path in mask.Paths.Where(p => p != All).Take(RelayLimits.MaxLabels))
        {
            if (!path.StartsWith(One, StringComparison.Ordinal))
            {
                violations.Add("update_mask", "may name `labels` and `labels.KEY`");
                continue;
            }
            var key = path[One.Length..];
            changes[key] = conversation.Labels.TryGetValue(key, out var value) ? value : null;
        }
        foreach (var (key, value) in changes)
        {
            violations.AddIf(!IsKey(key), "conversation.labels",
                $"has a key that is not 1 to {RelayLimits.MaxLabelKeyBytes} characters of [a-z0-9_.-], beginning with a letter");
            violations.AddIf(value is not null && !IsValue(value), "conversation.labels",
                $"has a value of more than {RelayLimits.MaxLabelValueBytes} bytes of UTF-8, or with control characters");
        }
        return new Command.SetLabels(requestId, changes, replacesAll, revision);
    }

    private static bool IsValue(string value) =>
        Encoding.UTF8.GetByteCount(value) <= RelayLimits.MaxLabelValueBytes && !value.Any(char.IsControl);

    private static bool IsKey(string key) => key.Length is > 0 and <= RelayLimits.MaxLabelKeyBytes && char.IsAsciiLetterLower(key[0])
        && key.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '_' or '.' or '-');
}
