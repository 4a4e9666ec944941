using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Relay.Storage.Tests.Postgres;

/// <summary>PgBouncer in front of a test's database.</summary>
internal sealed class Pooler : IAsyncDisposable
{
    private const string Program = "/usr/sbin/pgbouncer";

    private readonly string _directory = Directory.CreateTempSubdirectory("relay-test-").FullName;
    private Process _process = null!;

    private Pooler()
    {
    }

    public string ConnectionString { get; private set; } = "";

    public static async Task<Pooler> StartAsync(string database, string mode)
    {
        Assert.SkipUnless(File.Exists(Program), "PgBouncer is not installed (tests/setup/cluster.sh).");
        var server = new NpgsqlConnectionStringBuilder(database);
        int port;
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            port = ((IPEndPoint)listener.LocalEndpoint).Port;
        }
        var pooler = new Pooler();
        var (settings, users) = (Path.Combine(pooler._directory, "pgbouncer.ini"), Path.Combine(pooler._directory, "users"));
        await File.WriteAllTextAsync(users, $"\"{server.Username}\" \"{server.Password}\"\n");
        await File.WriteAllTextAsync(settings, string.Create(CultureInfo.InvariantCulture, $"""
            [databases]
            {server.Database} = host={server.Host} port={server.Port} dbname={server.Database}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = plain
            auth_file = {users}
            pool_mode = {mode}
            ignore_startup_parameters = options,extra_float_digits
            """));
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(pooler._directory,
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        // It does not run as root.
        string[] command = Environment.IsPrivilegedProcess ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--",
            Program, settings] : [Program, settings];
        pooler._process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardError = true,
            RedirectStandardOutput = true })!;
        pooler._process.ErrorDataReceived += static (_, _) => { };
        pooler._process.BeginErrorReadLine();
        pooler.ConnectionString = new NpgsqlConnectionStringBuilder(database) { Host = "127.0.0.1", Port = port }.ConnectionString;
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, port);
                return pooler;
            }
            catch (SocketException) when (attempt < 200)
            {
                await Task.Delay(50);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
