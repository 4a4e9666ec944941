using System.Data.Common;
using Microsoft.Extensions.Configuration;

namespace Relay.Gateway.Hosting;

/// <summary>A setting as an operator is shown it.</summary>
/// <param name="Value">Without passwords; null: it is not set, and the server's own default counts.</param>
/// <param name="Origin">Where the value came from; null: it is not set.</param>
public sealed record ShownSetting(string Key, string? Value, string? Origin)
{
    private const string Mask = "***";
    private static readonly string[] s_sections = ["Relay", "ConnectionStrings", "Kestrel", "Logging"];

    /// <summary>Every setting of Relay, set or not, and whatever else is set in the sections that a server reads.</summary>
    public static IReadOnlyList<ShownSetting> All(IConfigurationRoot configuration)
    {
        var others = s_sections.SelectMany(section => configuration.GetSection(section).AsEnumerable()).Where(pair => pair.Value is not null).Select(pair => pair.Key);
        return
        [
            .. RelaySettings.All.Select(s => s.Key).Concat(others.Order(StringComparer.OrdinalIgnoreCase)).Distinct(StringComparer.OrdinalIgnoreCase)
                .Select(key => RelayConfiguration.Find(configuration, key) is var (value, origin) ? new ShownSetting(key, Masked(key, value), origin) : new ShownSetting(key, null, null)),
        ];
    }

    private static string Masked(string key, string value)
    {
        if (key.StartsWith("ConnectionStrings:", StringComparison.OrdinalIgnoreCase)) return Database(value);
        if (RelaySettings.Of(key) == RelaySettings.Broker) return Address(value);
        return RelaySettings.Of(key) is { IsSecret: false } || !IsSecret(key) ? value : Mask;
    }

    /// <summary>The parts of a connection string that are no secret: those that are known to be none.</summary>
    private static string Database(string value)
    {
        try
        {
            var all = new DbConnectionStringBuilder { ConnectionString = DatabaseAddress.ToConnectionString(value) };
            foreach (string key in all.Keys.Cast<string>().Where(IsSecret).ToList()) all[key] = Mask;
            return all.ConnectionString;
        }
        catch (FormatException)
        {
            return Mask;
        }
    }

    private static string Address(string value) =>
        Uri.TryCreate(value, UriKind.Absolute, out var uri) && uri.Scheme is "amqp" or "amqps"
            ? uri.UserInfo.Length == 0 ? value : $"{uri.Scheme}://{uri.UserInfo.Split(':')[0]}{(uri.UserInfo.Contains(':', StringComparison.Ordinal) ? ":" + Mask : "")}@{uri.Authority[(uri.Authority.IndexOf('@', StringComparison.Ordinal) + 1)..]}{uri.PathAndQuery}"
            : Mask;

    private static bool IsSecret(string key) =>
        s_secretWords.Any(word => key.Contains(word, StringComparison.OrdinalIgnoreCase)) && !key.EndsWith("File", StringComparison.OrdinalIgnoreCase) && !key.EndsWith("Path", StringComparison.OrdinalIgnoreCase);

    private static readonly string[] s_secretWords = ["password", "pwd", "passfile", "secret", "token", "key"];
}
