using System.CommandLine;
using Relay.Gateway.Hosting;

namespace Relay.Cli.Serve;

/// <summary>What the nodes of a cluster share, from options, files and the environment: passwords need not stand on a command line.</summary>
internal static class ClusterArguments
{
    private const string DatabaseVariable = "RELAY_DATABASE";
    private const string BrokerVariable = "RELAY_BROKER";
    private const string BrokerAuthorityVariable = "RELAY_BROKER_CA";
    private const string NodeNameVariable = "RELAY_NODE_NAME";
    private const string ShardsVariable = "RELAY_SHARDS";
    private const int LongestNodeName = 63;

    private static readonly Option<string?> s_database = new("--database")
    {
        Description = $"The cluster's PostgreSQL: postgresql://user@host:port/database, or a connection string. Default: {DatabaseVariable}, or none: one process with SQLite.",
        HelpName = "ADDRESS",
    };
    private static readonly Option<string?> s_databaseFile = new("--database-file") { Description = $"The file that holds the database's address, for the password's sake. Default: {DatabaseVariable}_FILE.", HelpName = "FILE" };
    private static readonly Option<string?> s_broker = new("--broker") { Description = $"The cluster's RabbitMQ: amqp://user@host:port/vhost or amqps://. Default: {BrokerVariable}.", HelpName = "ADDRESS" };
    private static readonly Option<string?> s_brokerFile = new("--broker-file") { Description = $"The file that holds the broker's address, for the password's sake. Default: {BrokerVariable}_FILE.", HelpName = "FILE" };
    private static readonly Option<string?> s_brokerAuthority = new("--broker-ca") { Description = $"PEM file of the certificate authority that the broker's certificate must come from. Default: {BrokerAuthorityVariable}, or the system's.", HelpName = "FILE" };
    private static readonly Option<string?> s_nodeName = new("--node-name") { Description = $"What people call this node of the cluster. Default: {NodeNameVariable}, or the machine's name.", HelpName = "NAME" };
    private static readonly Option<int?> s_shards = new("--shards") { Description = $"Shards, 1 to 1024; the same on every node of a cluster, and for good. Default: {ShardsVariable}, or 16.", HelpName = "N" };

    public static void AddTo(Command command)
    {
        foreach (var option in new Option[] { s_database, s_databaseFile, s_broker, s_brokerFile, s_brokerAuthority, s_nodeName, s_shards }) command.Options.Add(option);
    }

    /// <summary>Null: one process.</summary>
    /// <exception cref="CommandFailure">One of the two addresses is missing or wrong.</exception>
    public static ClusterOptions? Parse(ParseResult parsed)
    {
        var database = Address(parsed, s_database, s_databaseFile, DatabaseVariable);
        var broker = Address(parsed, s_broker, s_brokerFile, BrokerVariable);
        if (database is null && broker is null) return null;
        if (database is null || broker is null)
        {
            var (given, missing) = database is null ? ("broker", "database") : ("database", "broker");
            throw new CommandFailure(ExitCode.Usage, $"A cluster needs both a database and a broker: there is a {given} and no {missing}.", $"Add --{missing} or --{missing}-file, or leave both out for one process.");
        }
        return new ClusterOptions(Database(database), Broker(broker))
        {
            NodeName = NodeName(parsed.GetValue(s_nodeName) ?? Variable(NodeNameVariable) ?? Environment.MachineName),
            BrokerCertificateAuthorityFile = parsed.GetValue(s_brokerAuthority) ?? Variable(BrokerAuthorityVariable),
        };
    }

    /// <exception cref="CommandFailure">It is out of bounds.</exception>
    public static int Shards(ParseResult parsed)
    {
        int shards = parsed.GetValue(s_shards) ?? (Variable(ShardsVariable) is { } text ? (int.TryParse(text, out int n) ? n : 0) : 16);
        return shards is > 0 and <= 1024 ? shards : throw new CommandFailure(ExitCode.Usage, "--shards must be 1 to 1024.");
    }

    private static string? Address(ParseResult parsed, Option<string?> option, Option<string?> fileOption, string variable)
    {
        var given = parsed.GetValue(option);
        var file = parsed.GetValue(fileOption);
        if (given is not null && file is not null) throw new CommandFailure(ExitCode.Usage, $"{option.Name} and {fileOption.Name} say the same thing: give one of them.");
        if (given is null && file is null)
        {
            given = Variable(variable);
            file = given is null ? Variable(variable + "_FILE") : null;
        }
        if (file is null) return given;
        try
        {
            var text = File.ReadAllText(file).Trim();
            return text.Length > 0 ? text : throw new CommandFailure(ExitCode.Usage, $"{file} is empty: it should hold one line, the address.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Usage, $"The address cannot be read: {e.Message}", inner: e);
        }
    }

    private static string Database(string address)
    {
        try
        {
            return DatabaseAddress.ToConnectionString(address);
        }
        catch (FormatException e)
        {
            throw new CommandFailure(ExitCode.Usage, e.Message, inner: e);
        }
    }

    // Nothing of a wrong address is repeated: it may hold a password.
    private static Uri Broker(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "amqp" or "amqps" && uri.Host.Length > 0
            ? uri
            : throw new CommandFailure(ExitCode.Usage, "The broker's address must be amqp://user:password@host:port/vhost, or amqps:// with TLS.", "Characters like @ / : in a password are written %40 %2F %3A.");

    private static string NodeName(string name) =>
        name.Length is > 0 and <= LongestNodeName && !name.Any(char.IsControl)
            ? name
            : throw new CommandFailure(ExitCode.Usage, $"--node-name must have 1 to {LongestNodeName} characters, none of them control characters.");

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
