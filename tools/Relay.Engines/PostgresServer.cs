using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Relay.Engines;

/// <summary>
/// Runs Debian's PostgreSQL as a child process with its own data, password and port. Not safe for concurrent calls.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    /// <summary>The superuser.</summary>
    public const string UserName = "relay";

    /// <summary>The database that <see cref="StartAsync"/> creates, empty.</summary>
    public const string DatabaseName = "relay";

    private const int TailLines = 40, PortAttempts = 5, MaxSocketPathBytes = 80;

    private readonly PostgresOptions _options;
    private readonly PostgresProgram _program;
    private readonly string _data;
    private readonly string _password = RandomNumberGenerator.GetHexString(32, lowercase: true);
    private Process? _process;

    private PostgresServer(PostgresOptions options)
    {
        _options = options with { Directory = Path.GetFullPath(options.Directory) };
        _program = PostgresProgram.Find(_options);
        _data = Path.Combine(_options.Directory, "data");
    }

    /// <summary>Whether PostgreSQL is installed.</summary>
    public static bool IsInstalled => PostgresProgram.TryFindBinaries() is not null;

    /// <summary>The port on which it listens; a restart does not change it.</summary>
    public int Port { get; private set; }

    /// <summary>The postmaster's process id.</summary>
    /// <exception cref="InvalidOperationException">PostgreSQL is not running.</exception>
    public int ProcessId => _process?.Id ?? throw new InvalidOperationException("PostgreSQL is not running.");

    /// <summary>Whether the postmaster is running.</summary>
    public bool IsRunning => _process is { HasExited: false };

    /// <summary>Npgsql's connection string for <see cref="DatabaseName"/> as <see cref="UserName"/>.</summary>
    public string ConnectionString => ConnectionStringOf(DatabaseName);

    /// <summary>Npgsql's connection string for another database of this server.</summary>
    public string ConnectionStringOf(string database)
        => string.Create(CultureInfo.InvariantCulture,
            $"Host={_options.ListenAddress};Port={Port};Username={UserName};Password={_password};Database={database}");

    /// <summary>
    /// Initialises the data, starts the server and creates the database. The directory must not contain PostgreSQL data yet.
    /// </summary>
    /// <exception cref="EngineException">
    /// PostgreSQL is not installed or does not start; the message contains the end of its output.
    /// </exception>
    public static async Task<PostgresServer> StartAsync(PostgresOptions options, CancellationToken cancellation = default)
    {
        var server = new PostgresServer(options);
        try
        {
            await server.InitialiseAsync(cancellation).ConfigureAwait(false);
            await server.LaunchOnFreePortAsync(cancellation).ConfigureAwait(false);
            await server.CreateDatabaseAsync(DatabaseName, cancellation).ConfigureAwait(false);
            return server;
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Creates a further empty database.</summary>
    /// <returns>Its connection string.</returns>
    /// <exception cref="EngineException"/>
    public async Task<string> CreateDatabaseAsync(string name, CancellationToken cancellation = default)
    {
        await _program.RunAsync("createdb",
            [
                "-h", _options.ListenAddress, "-p", Port.ToString(CultureInfo.InvariantCulture), "-U", UserName,
                "--maintenance-db=postgres", name,
            ],
            [("PGPASSWORD", _password)], cancellation).ConfigureAwait(false);
        return ConnectionStringOf(name);
    }

    /// <summary>
    /// Starts it after <see cref="StopAsync"/> or <see cref="KillAsync"/> with the same data and port, and waits until it accepts
    /// connections.
    /// </summary>
    /// <exception cref="EngineException"/>
    public Task StartAgainAsync(CancellationToken cancellation = default) => IsRunning ? Task.CompletedTask : LaunchAsync(cancellation);

    /// <summary>Stops it if it is running, and starts it with the same data and port.</summary>
    /// <param name="immediate">See <see cref="StopAsync"/>.</param>
    /// <exception cref="EngineException"/>
    public async Task RestartAsync(bool immediate = false, CancellationToken cancellation = default)
    {
        await StopAsync(immediate, cancellation).ConfigureAwait(false);
        await LaunchAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Shuts it down; open sessions are disconnected.</summary>
    /// <param name="immediate">True: no checkpoint is written, and the next start recovers from the write-ahead log.</param>
    /// <exception cref="EngineException">It does not stop within <see cref="PostgresOptions.Patience"/>.</exception>
    public async Task StopAsync(bool immediate = false, CancellationToken cancellation = default)
    {
        if (_process is not { HasExited: false } process) return;
        var seconds = ((int)_options.Patience.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        await _program.RunAsync("pg_ctl", ["stop", "-D", _data, "-m", immediate ? "immediate" : "fast", "-w", "-t", seconds], [],
            cancellation).ConfigureAwait(false);
        await process.WaitForExitAsync(cancellation).ConfigureAwait(false);
        Forget();
    }

    /// <summary>Sends SIGKILL to the postmaster and all its children, as if the machine failed.</summary>
    public async Task KillAsync(CancellationToken cancellation = default)
    {
        if (_process is not { } process) return;
        if (!process.HasExited)
        {
            // Taken before the kill: orphaned children are no longer listed under the postmaster.
            var children = PostgresChildren.Of(process.Id);
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(cancellation).ConfigureAwait(false);
            // The next postmaster refuses to start while one of them still holds the shared memory.
            foreach (int child in children) await PostgresChildren.UntilGoneAsync(child, cancellation).ConfigureAwait(false);
        }
        Forget();
    }

    /// <summary>Stops the server. The directory is not deleted.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!IsRunning)
        {
            Forget();
            return;
        }
        try
        {
            await StopAsync(immediate: true).ConfigureAwait(false);
        }
        catch (EngineException)
        {
            // A server that cannot stop, for example after SIGSTOP, is killed.
            await KillAsync().ConfigureAwait(false);
        }
    }

    private async Task InitialiseAsync(CancellationToken cancellation)
    {
        if (Directory.Exists(_data)) throw new EngineException($"{_data} already exists: choose another directory, or move this one away.");
        Directory.CreateDirectory(_options.Directory);
        var passwordFile = Path.Combine(_options.Directory, "password");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using (var file = new FileStream(passwordFile, options))
        {
            await file.WriteAsync(System.Text.Encoding.ASCII.GetBytes(_password), cancellation).ConfigureAwait(false);
        }
        try
        {
            await _program.GiveAsync(_options.Directory, cancellation).ConfigureAwait(false);
            await _program.RunAsync("initdb",
                [
                    "-D", _data, "-U", UserName, "--auth=scram-sha-256", $"--pwfile={passwordFile}", "--encoding=UTF8", "--locale=C",
                    "--no-sync", "--no-instructions",
                ], [], cancellation).ConfigureAwait(false);
        }
        finally
        {
            File.Delete(passwordFile);
        }
        await File.AppendAllLinesAsync(Path.Combine(_data, "pg_hba.conf"),
            _options.AllowedNetworks.Prepend($"{_options.ListenAddress}/32").Select(n => $"host all all {n} scram-sha-256"),
            cancellation).ConfigureAwait(false);
    }

    private async Task LaunchOnFreePortAsync(CancellationToken cancellation)
    {
        for (int attempt = 1; ; attempt++)
        {
            Port = _options.Port ?? FreePort();
            try
            {
                await LaunchAsync(cancellation).ConfigureAwait(false);
                return;
            }
            catch (EngineException e) when (_options.Port is null && attempt < PortAttempts
                && e.Message.Contains("Address already in use", StringComparison.Ordinal))
            {
                // Another process took the port between the check and the start: retry with another one.
                Forget();
            }
        }
    }

    private async Task LaunchAsync(CancellationToken cancellation)
    {
        Forget();
        var tail = new PostgresOutput(TailLines);
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _process = _program.Start("postgres", Arguments(), line =>
        {
            tail.Add(line);
            if (line.Contains("database system is ready to accept connections", StringComparison.Ordinal)) ready.TrySetResult();
        });
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(_options.Patience);
        var exited = _process.WaitForExitAsync(patience.Token);
        await Task.WhenAny(ready.Task, exited).ConfigureAwait(false);
        if (ready.Task.IsCompleted && !_process.HasExited) return;
        await KillAsync(CancellationToken.None).ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
        throw new EngineException(
            $"PostgreSQL did not start{(exited.IsCompletedSuccessfully ? "" : $" within {_options.Patience}")}.{tail}");
    }

    private List<string> Arguments()
    {
        // A Unix socket's path has a low length limit. The server can do without the socket, because clients use TCP.
        var socket = System.Text.Encoding.UTF8.GetByteCount(_options.Directory) <= MaxSocketPathBytes ? _options.Directory : "";
        var settings = new Dictionary<string, string>
        {
            ["listen_addresses"] = _options.ListenAddress,
            ["port"] = Port.ToString(CultureInfo.InvariantCulture),
            ["unix_socket_directories"] = socket,
            ["logging_collector"] = "off",
            ["log_destination"] = "stderr",
            ["log_min_messages"] = "warning",
            // The content of statements is sealed, but their ids should not be logged either.
            ["log_min_error_statement"] = "panic",
            ["log_parameter_max_length_on_error"] = "0",
        };
        foreach (var (name, value) in _options.Settings) settings[name] = value;
        return ["-D", _data, .. settings.SelectMany(s => new[] { "-c", $"{s.Key}={s.Value}" })];
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void Forget()
    {
        _process?.Dispose();
        _process = null;
    }
}
