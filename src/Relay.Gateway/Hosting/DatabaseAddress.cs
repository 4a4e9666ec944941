using System.Data.Common;
using System.Globalization;

namespace Relay.Gateway.Hosting;

/// <summary>
/// Parses the address of the cluster's database, which operators write as a <c>postgresql://</c> URI (libpq's form) or as
/// Npgsql's connection string.
/// </summary>
public static class DatabaseAddress
{
    private static readonly string[] s_schemes = ["postgresql://", "postgres://"];

    /// <summary>Maps libpq's parameter names to Npgsql's.</summary>
    private static readonly Dictionary<string, string> s_parameters = new(StringComparer.OrdinalIgnoreCase)
    {
        ["sslmode"] = "SSL Mode",
        ["sslrootcert"] = "Root Certificate",
        ["sslcert"] = "SSL Certificate",
        ["sslkey"] = "SSL Key",
        ["application_name"] = "Application Name",
        ["connect_timeout"] = "Timeout",
        ["options"] = "Options",
        ["target_session_attrs"] = "Target Session Attributes",
        ["channel_binding"] = "Channel Binding",
        ["user"] = "Username",
        ["password"] = "Password",
        ["host"] = "Host",
        ["port"] = "Port",
        ["dbname"] = "Database",
    };

    /// <summary>Converts an address to Npgsql's connection string.</summary>
    /// <exception cref="FormatException">
    /// The address is not valid. The message does not quote any part of the address, which may contain a password.
    /// </exception>
    public static string ToConnectionString(string address)
    {
        address = address.Trim();
        var scheme = Array.Find(s_schemes, s => address.StartsWith(s, StringComparison.OrdinalIgnoreCase));
        try
        {
            var builder = scheme is null ? new DbConnectionStringBuilder { ConnectionString = address } : FromUri(address[scheme.Length..]);
            return builder.ContainsKey("Host") || builder.ContainsKey("Server")
                ? builder.ConnectionString
                : throw new FormatException("The database's address names no host.");
        }
        catch (ArgumentException)
        {
            // Without the inner exception: it may quote the part that is not valid, and that may be the password.
            throw new FormatException("The database's address is neither postgresql://user:password@host:port/database "
                + "nor a connection string (Host=…;Username=…;Password=…;Database=…).");
        }
    }

    private static DbConnectionStringBuilder FromUri(string rest)
    {
        var builder = new DbConnectionStringBuilder();
        int question = rest.IndexOf('?', StringComparison.Ordinal);
        var query = question < 0 ? "" : rest[(question + 1)..];
        if (question >= 0) rest = rest[..question];
        int slash = rest.IndexOf('/', StringComparison.Ordinal);
        if (slash >= 0 && slash + 1 < rest.Length) builder["Database"] = Uri.UnescapeDataString(rest[(slash + 1)..]);
        var authority = slash < 0 ? rest : rest[..slash];
        // The last @ separates: an unescaped password may contain one, a host cannot.
        int at = authority.LastIndexOf('@');
        if (at >= 0)
        {
            var (user, password) = Cut(authority[..at], ':');
            builder["Username"] = Uri.UnescapeDataString(user);
            if (password is not null) builder["Password"] = Uri.UnescapeDataString(password);
        }
        var hosts = authority[(at + 1)..];
        if (hosts.Length > 0) Hosts(builder, hosts);
        foreach (var parameter in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = Cut(parameter, '=');
            if (!s_parameters.TryGetValue(name, out var key))
            {
                throw new FormatException(
                    $"The database's address has an unknown parameter. Known are {string.Join(", ", s_parameters.Keys)}.");
            }
            builder[key] = Value(key, Uri.UnescapeDataString(value ?? ""));
        }
        return builder;
    }

    private static void Hosts(DbConnectionStringBuilder builder, string hosts)
    {
        if (hosts.Contains(',', StringComparison.Ordinal))
        {
            // Npgsql accepts several hosts in one value, each with its port.
            builder["Host"] = Uri.UnescapeDataString(hosts);
            return;
        }
        int colon = hosts.EndsWith(']') ? -1 : hosts.LastIndexOf(':');
        builder["Host"] = Uri.UnescapeDataString((colon < 0 ? hosts : hosts[..colon]).Trim('[', ']'));
        if (colon < 0) return;
        if (!int.TryParse(hosts[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int port) || port is 0 or > 65535)
            throw new FormatException("The database's address has a port that is not a number from 1 to 65535.");
        builder["Port"] = port;
    }

    /// <summary>Adapts values: libpq writes the SSL mode verify-full, Npgsql VerifyFull. Other values are the same.</summary>
    private static string Value(string key, string value) => key == "SSL Mode" ? value.Replace("-", "", StringComparison.Ordinal) : value;

    private static (string First, string? Second) Cut(string text, char at)
    {
        int i = text.IndexOf(at, StringComparison.Ordinal);
        return i < 0 ? (text, null) : (text[..i], text[(i + 1)..]);
    }
}
