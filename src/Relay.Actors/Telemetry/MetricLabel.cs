using System.Text.Json;

namespace Relay.Actors.Telemetry;

/// <summary>A label whose values are the names of an enumeration in snake_case: a closed set, made once.</summary>
internal sealed class MetricLabel<T>(string key) where T : struct, Enum
{
    private readonly Dictionary<T, KeyValuePair<string, object?>> _values =
        Enum.GetValues<T>().Distinct().ToDictionary(v => v, v => KeyValuePair.Create<string, object?>(key, MetricLabel.SnakeCase(v.ToString())));

    public KeyValuePair<string, object?> this[T value] => _values[value];

    public IEnumerable<KeyValuePair<string, object?>> All => _values.Values;
}

/// <summary>Values of labels.</summary>
internal static class MetricLabel
{
    /// <summary><c>BadMac</c> and <c>bad-mac</c> become <c>bad_mac</c>.</summary>
    public static string SnakeCase(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name).Replace('-', '_');
}
