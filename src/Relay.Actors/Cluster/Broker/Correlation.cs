using System.Globalization;
using Relay.Storage.Sealing;

namespace Relay.Actors.Cluster.Broker;

/// <summary>What binds an answer to its command: an asker, made up anew at each start, and a number that it uses once.</summary>
/// <param name="Node">26 characters of base32.</param>
internal readonly record struct Correlation(string Node, ulong Number)
{
    /// <summary>`node.number`, as in the message's correlation id.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Node}.{Number}");

    /// <returns>Null if it is none of ours.</returns>
    public static Correlation? TryParse(string? text)
        => text is { Length: > KeyedIds.TextSize + 1 and <= KeyedIds.TextSize + 21 } && text[KeyedIds.TextSize] == '.' && KeyedIds.IsId(text[..KeyedIds.TextSize])
            && ulong.TryParse(text.AsSpan(KeyedIds.TextSize + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new Correlation(text[..KeyedIds.TextSize], number) : null;
}
