using System.CommandLine;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;

namespace Relay.Cli.Serve;

/// <summary>The switches that are short names of a server's settings, and the configuration that they are the last word of.</summary>
internal static class ServerSwitches
{
    private static readonly Option<string?> s_listen = new("--listen")
    {
        Description = $"Address and port; port 0 takes a free one. Off loopback a certificate is required. Default: 127.0.0.1:{RelayOptions.DefaultPort}.",
        HelpName = "ADDRESS:PORT",
    };
    private static readonly Option<string?> s_certificate = new("--certificate") { Description = "PEM file of the certificate chain, for TLS. A new one is taken up without a restart.", HelpName = "FILE" };
    private static readonly Option<string?> s_certificateKey = new("--certificate-key") { Description = "PEM file of the certificate's private key. Default: in --certificate.", HelpName = "FILE" };
    private static readonly Option<LogLevel?> s_logLevel = new("--log-level") { Description = "Least level of log lines on standard error: Trace, Debug, Information, Warning, Error, Critical or None. Default: Information.", HelpName = "LEVEL" };
    private static readonly Option<bool> s_logJson = new("--log-json") { Description = "Log lines are JSON." };
    private static readonly Option<string?> s_adminKey = new("--admin-key") { Description = $"The file of an admin key to take up, the same for every node; on the very first start it is made there. Default: {AdminKey.FileName} in the data directory.", HelpName = "FILE" };
    private static readonly Option<string?> s_healthListen = new("--health-listen") { Description = "Address and port for probes by plain HTTP: /livez and /readyz, and nothing else. Default: none; 'relay health' asks by gRPC.", HelpName = "ADDRESS:PORT" };
    private static readonly Option<double?> s_drainDelay = new("--drain-delay") { Description = "At SIGTERM: seconds to go on serving while health says no already, for load balancers to notice. 0 to 600. Default: 0.", HelpName = "SECONDS" };
    private static readonly Option<double?> s_drainTimeout = new("--drain-timeout") { Description = $"At SIGTERM, after that delay: seconds for work in flight to end. 1 to 600. Default: {GatewayLimits.DrainTimeout.TotalSeconds}.", HelpName = "SECONDS" };
    private static readonly Option<string?> s_database = new("--database")
    {
        Description = "The cluster's PostgreSQL: a connection string, or postgresql://user@host:port/database. Default: RELAY_DATABASE, or none: one process with SQLite.",
        HelpName = "ADDRESS",
    };
    private static readonly Option<string?> s_databaseFile = new("--database-file") { Description = "The file that holds the database's address, for the password's sake. Default: RELAY_DATABASE_FILE.", HelpName = "FILE" };
    private static readonly Option<string?> s_broker = new("--broker") { Description = "The cluster's RabbitMQ: amqp://user@host:port/vhost or amqps://. Default: RELAY_BROKER.", HelpName = "ADDRESS" };
    private static readonly Option<string?> s_brokerFile = new("--broker-file") { Description = "The file that holds the broker's address, for the password's sake. Default: RELAY_BROKER_FILE.", HelpName = "FILE" };
    private static readonly Option<string?> s_brokerAuthority = new("--broker-ca") { Description = "PEM file of the certificate authority that the broker's certificate must come from. Default: RELAY_BROKER_CA, or the system's.", HelpName = "FILE" };
    private static readonly Option<string?> s_nodeName = new("--node-name") { Description = "The node's name in the cluster. Default: RELAY_NODE_NAME, or the machine's name.", HelpName = "NAME" };
    private static readonly Option<int?> s_shards = new("--shards") { Description = "Shards, 1 to 1024; must be the same on every node of a cluster and cannot be changed later. Default: RELAY_SHARDS, or 16.", HelpName = "N" };

    private static readonly Option[] s_ofCluster = [s_database, s_databaseFile, s_broker, s_brokerFile, s_brokerAuthority, s_nodeName, s_shards];

    private static readonly Option[] s_all =
    [
        CommonOptions.Data, CommonOptions.SealingKey, s_adminKey, s_listen, s_certificate, s_certificateKey, s_healthListen, s_drainDelay, s_drainTimeout, s_logLevel, s_logJson, .. s_ofCluster,
    ];

    /// <summary>All of them, for a command that runs a server or shows how one would run.</summary>
    public static void AddAllTo(Command command)
    {
        foreach (var option in s_all) command.Options.Add(option);
    }

    /// <summary>Those of a cluster, for a command that looks at one.</summary>
    public static void AddClusterTo(Command command)
    {
        foreach (var option in s_ofCluster) command.Options.Add(option);
    }

    /// <summary>What was typed, by the name of the switch.</summary>
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
            else
            {
                given[option.Name] = result.Tokens.Count > 0 ? result.Tokens[0].Value : "";
            }
        }
        return given;
    }

    /// <summary>The configuration that a server would have that is started here with these switches.</summary>
    /// <exception cref="RelayConfigurationException">A file cannot be read.</exception>
    public static ConfigurationManager Configuration(ParseResult parsed)
    {
        var configuration = new ConfigurationManager();
        configuration.AddRelaySources(Directory, EnvironmentName, Given(parsed));
        return configuration;
    }

    /// <summary>The options of that server.</summary>
    /// <exception cref="RelayConfigurationException">Everything that is wrong with them.</exception>
    public static RelayOptions Options(ParseResult parsed)
    {
        using var configuration = Configuration(parsed);
        var (options, mistakes) = RelayOptionsValidator.Read(configuration);
        return mistakes.Count == 0 ? options : throw new RelayConfigurationException(mistakes);
    }

    /// <summary>The directory of appsettings.json, as ASP.NET Core has it.</summary>
    public static string Directory => Variable("CONTENTROOT") ?? System.IO.Directory.GetCurrentDirectory();

    public static string EnvironmentName => Variable("ENVIRONMENT") ?? "Production";

    private static string? Variable(string name) =>
        new[] { "ASPNETCORE_", "DOTNET_" }.Select(prefix => Environment.GetEnvironmentVariable(prefix + name)).FirstOrDefault(value => !string.IsNullOrEmpty(value));
}
