using Relay.Actors;

namespace Relay.Gateway.Api;

/// <summary>The filter of a list of messages, a part of the filter language of AIP-160: <c>state = X</c>, or several joined by OR.</summary>
internal static class MessageFilter
{
    private const int MaxLength = 512;

    private static readonly Dictionary<string, MessageStatus> s_states =
        Enum.GetValues<MessageStatus>().ToDictionary(s => s.ToString().ToUpperInvariant(), StringComparer.Ordinal);

    /// <summary>Reads a filter; an empty one matches every message.</summary>
    public static Func<MessageView, bool> Parse(string filter, Violations violations)
    {
        if (filter.Length == 0) return static _ => true;
        var states = new HashSet<MessageStatus>();
        bool isRight = filter.Length <= MaxLength;
        foreach (var comparison in isRight ? filter.Split(" OR ") : [])
        {
            if (comparison.Split('=') is [var field, var value] && field.Trim() == "state"
                && s_states.TryGetValue(value.Trim().Trim('"'), out var state)) states.Add(state);
            else isRight = false;
        }
        violations.AddIf(!isRight, "filter", $"must be state = one of {string.Join(", ", s_states.Keys)}, or several of these joined by OR");
        return message => states.Contains(message.Status);
    }
}
