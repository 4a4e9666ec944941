using System.CommandLine;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;

namespace Relay.Cli.Serve;

/// <summary>
/// The options that are short names of a server's settings, and the configuration in which they override all other sources.
/// </summary>
internal static class ServerSwitches
{
    private static readonly Option<string?> s_listen = new("--listen")
    {
        Description = "Address and port to listen on; port 0 chooses a free one. A certificate is required except on loopback. Default: "
            + $"127.0.0.1:{RelayOptions.DefaultPort}.",
        HelpName = "ADDRESS:PORT",
    };
    private static readonly Option<string?> s_certificate = new("--certificate")
    {
        Description = "PEM file of the certificate chain, for TLS. A changed file is loaded without a restart.",
        HelpName = "FILE",
    };
    private static readonly Option<string?> s_certificateKey = new("--certificate-key")
    {
        Description = "PEM file of the certificate's private key. Default: the file of --certificate.",
        HelpName = "FILE",
    };
    private static readonly Option<LogLevel?> s_logLevel = new("--log-level")
    {
        Description = "Lowest level of log messages on standard error: Trace, Debug, Information, Warning, Error, Critical or None. "
            + "Default: Information.",
        HelpName = "LEVEL",
    };
    private static readonly Option<bool> s_logJson = new("--log-json") { Description = "Write log messages as JSON." };
    private static readonly Option<bool> s_newEpochKey = new("--new-epoch-key")
    {
        Description = "Start without the epoch key that is lost: sessions and undelivered messages are lost with it; endpoints, keys and "
            + "trust stay.",
    };
    private static readonly Option<string?> s_adminKey = new("--admin-key")
    {
        Description = "File with an admin key to accept, the same for every node; the first start creates it. Default: "
            + $"{AdminKey.FileName} in the data directory.",
        HelpName = "FILE",
    };
    private static readonly Option<string?> s_httpListen = new("--http-listen")
    {
        Description = "Loopback address and port for HTTP/JSON without TLS; with a certificate it is served on the port of --listen. "
            + $"Default: 127.0.0.1:{RelayOptions.DefaultHttpPort} if --listen is not given; 'none' for none.",
        HelpName = "ADDRESS:PORT",
    };
    private static readonly Option<string?> s_healthListen = new("--health-listen")
    {
        Description = "Address and port for health probes over plain HTTP: /livez and /readyz only. "
            + "Default: none; 'relay health' uses gRPC.",
        HelpName = "ADDRESS:PORT",
    };
    private static readonly Option<string?> s_consoleListen = new("--console-listen")
    {
        Description = "Address and port of the operators' console, a web page. TLS with the server's certificate, or loopback. Default: none.",
        HelpName = "ADDRESS:PORT",
    };
    private static readonly Option<double?> s_drainDelay = new("--drain-delay")
    {
        Description = "After SIGTERM, seconds to keep serving while the server reports that it is not ready, so that load balancers "
            + "notice. 0 to 600. Default: 0.",
        HelpName = "SECONDS",
    };
    private static readonly Option<double?> s_drainTimeout = new("--drain-timeout")
    {
        Description = "After the drain delay, seconds for work in progress to finish. 1 to 600. Default: "
            + $"{GatewayLimits.DrainTimeout.TotalSeconds}.",
        HelpName = "SECONDS",
    };
    private static readonly Option<string?> s_database = new("--database")
    {
        Description = "PostgreSQL database of the cluster: a connection string, or postgresql://user@host:port/database. "
            + "Default: RELAY_DATABASE, or none: a single server with SQLite.",
        HelpName = "ADDRESS",
    };
    private static readonly Option<string?> s_databaseFile = new("--database-file")
    {
        Description = "File with the value of --database, to keep the password out of the command line. Default: RELAY_DATABASE_FILE.",
        HelpName = "FILE",
    };
    private static readonly Option<string?> s_clusterHost = new("--cluster-host")
    {
        Description = "Host name or IP address at which the other nodes reach this one. "
            + "Default: RELAY_CLUSTER_HOST, or the machine's name.",
        HelpName = "HOST",
    };
    private static readonly Option<int?> s_clusterPort = new("--cluster-port")
    {
        Description = $"Port at that address. Default: RELAY_CLUSTER_PORT, or {Relay.Actors.Cluster.ClusterOptions.DefaultPort}.",
        HelpName = "PORT",
    };
    private static readonly Option<string?> s_clusterListen = new("--cluster-listen")
    {
        Description = "IP address to listen on for the other nodes. Default: RELAY_CLUSTER_LISTEN, or the address of --cluster-host.",
        HelpName = "ADDRESS",
    };
    private static readonly Option<int?> s_shards = new("--shards")
    {
        Description = "Number of shards of the cluster, 1 to 1024; must be the same on every node and cannot be changed later. "
            + "Default: RELAY_SHARDS, or 64.",
        HelpName = "N",
    };

    private static readonly Option[] s_ofCluster = [s_database, s_databaseFile, s_clusterHost, s_clusterPort, s_clusterListen, s_shards];

    /// <summary>Removed options. They are still parsed, so that the error can name their replacements.</summary>
    private static readonly Option[] s_retired = [.. RetiredSettings.Switches.Select(name => new Option<string?>(name) { Hidden = true })];

    private static readonly Option[] s_all =
    [
        CommonOptions.Data, CommonOptions.SealingKey, CommonOptions.EpochKey, s_newEpochKey, s_adminKey, s_listen, s_certificate,
        s_certificateKey, s_httpListen, s_healthListen, s_consoleListen, s_drainDelay,
        s_drainTimeout, s_logLevel, s_logJson, .. s_ofCluster, .. s_retired,
    ];

    /// <summary>Adds all options, for a command that runs a server or shows its settings.</summary>
    public static void AddAllTo(Command command)
    {
        foreach (var option in s_all) command.Options.Add(option);
    }

    /// <summary>Adds the options of a cluster, for a command that checks one.</summary>
    public static void AddClusterTo(Command command)
    {
        foreach (var option in s_ofCluster.Concat(s_retired)) command.Options.Add(option);
    }

    /// <summary>The given options, as text by option name.</summary>
    public static Dictionary<string, string> Given(ParseResult parsed)
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var option in s_all)
        {
            if (parsed.GetResult(option) is not { Implicit: false } result) continue;
            if (option == s_logJson)
            {
                if (parsed.GetValue(s_logJson)) given[option.Name] = "json";
            }
            else if (option == s_newEpochKey)
            {
                given[option.Name] = parsed.GetValue(s_newEpochKey) ? "true" : "false";
            }
            else
            {
                given[option.Name] = result.Tokens.Count > 0 ? result.Tokens[0].Value : "";
            }
        }
        return given;
    }

    /// <summary>Builds the configuration of a server started with these options.</summary>
    /// <exception cref="RelayConfigurationException">A file cannot be read.</exception>
    public static ConfigurationManager Configuration(ParseResult parsed)
    {
        var configuration = new ConfigurationManager();
        configuration.AddRelaySources(Directory, EnvironmentName, Given(parsed));
        return configuration;
    }

    /// <summary>Reads the validated options of a server started with these options.</summary>
    /// <exception cref="RelayConfigurationException">The options are not valid; the exception lists all mistakes.</exception>
    public static RelayOptions Options(ParseResult parsed)
    {
        using var configuration = Configuration(parsed);
        var (options, mistakes) = RelayOptionsValidator.Read(configuration);
        return mistakes.Count == 0 ? options : throw new RelayConfigurationException(mistakes);
    }

    /// <summary>The directory of appsettings.json, by the rules of ASP.NET Core.</summary>
    public static string Directory => Variable("CONTENTROOT") ?? System.IO.Directory.GetCurrentDirectory();

    public static string EnvironmentName => Variable("ENVIRONMENT") ?? "Production";

    private static string? Variable(string name) =>
        new[] { "ASPNETCORE_", "DOTNET_" }.Select(prefix => Environment.GetEnvironmentVariable(prefix + name))
            .FirstOrDefault(value => !string.IsNullOrEmpty(value));
}
