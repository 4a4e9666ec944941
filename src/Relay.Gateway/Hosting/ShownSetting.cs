using System.Data.Common;
using Microsoft.Extensions.Configuration;

namespace Relay.Gateway.Hosting;

/// <summary>A setting as <c>relay config show</c> prints it.</summary>
/// <param name="Value">The value without passwords. Null: it is not set, and the server's default applies.</param>
/// <param name="Origin">The source of the value. Null: it is not set.</param>
public sealed record ShownSetting(string Key, string? Value, string? Origin)
{
    /// <summary>Shown instead of a password.</summary>
    public const string Mask = "***";

    private static readonly string[] s_sections = ["Relay", "ConnectionStrings", "Kestrel", "Logging"];

    /// <summary>Every setting of Relay, set or not, and all other values in the sections that a server reads.</summary>
    public static IReadOnlyList<ShownSetting> All(IConfigurationRoot configuration)
    {
        var others = s_sections.SelectMany(section => configuration.GetSection(section).AsEnumerable())
            .Where(pair => pair.Value is not null).Select(pair => pair.Key);
        return
        [
            .. RelaySettings.All.Select(s => s.Key).Concat(others.Order(StringComparer.OrdinalIgnoreCase))
                .Distinct(StringComparer.OrdinalIgnoreCase)
                .Select(key => RelayConfiguration.Find(configuration, key) is var (value, origin)
                    ? new ShownSetting(key, Masked(key, value), origin)
                    : new ShownSetting(key, null, null)),
        ];
    }

    private static string Masked(string key, string value)
    {
        if (key.StartsWith("ConnectionStrings:", StringComparison.OrdinalIgnoreCase)) return Database(value);
        return RelaySettings.Of(key) is { IsSecret: false } || !IsSecret(key) ? value : Mask;
    }

    /// <summary>A connection string with its secret parts masked; masked as a whole if it cannot be parsed.</summary>
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

    private static bool IsSecret(string key) =>
        s_secretWords.Any(word => key.Contains(word, StringComparison.OrdinalIgnoreCase))
            && !key.EndsWith("File", StringComparison.OrdinalIgnoreCase) && !key.EndsWith("Path", StringComparison.OrdinalIgnoreCase);

    private static readonly string[] s_secretWords = ["password", "pwd", "passfile", "secret", "token", "key"];
}
