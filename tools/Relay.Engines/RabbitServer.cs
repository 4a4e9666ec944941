using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Relay.Engines;

/// <summary>
/// A RabbitMQ broker of its own: the system's `rabbitmq-server` with everything it writes in one directory, an own port
/// mapper (epmd), free ports, and one user with a password made up for it. Nothing listens beyond loopback unless asked.
/// </summary>
/// <remarks>
/// It takes about five seconds of one core to start. Works as root and not as root; the broker runs as whoever calls.
/// A directory can be used again later: the user and the data are those of the first time. Not for two threads at once.
/// </remarks>
public sealed class RabbitServer : IAsyncDisposable
{
    // The scripts that Debian's wrappers in /usr/sbin call; the wrappers insist on the user rabbitmq.
    private const string Scripts = "/usr/lib/rabbitmq/bin";
    private const string User = "relay", NodeName = "relay@localhost";
    private const int PortAttempts = 3;

    private readonly string _directory;
    private readonly RabbitServerOptions _options;
    private readonly string _password;
    private RabbitProcess? _epmd;
    private RabbitProcess? _broker;
    private int _epmdPort, _distributionPort;
    private bool _hasBeenUp;

    /// <param name="directory">Made (mode 0700) if absent.</param>
    /// <exception cref="EngineException">RabbitMQ is not installed, or the directory cannot be written.</exception>
    public RabbitServer(string directory, RabbitServerOptions? options = null)
    {
        if (Missing is { } missing) throw new EngineException(missing);
        _directory = Path.GetFullPath(directory);
        _options = options ?? new RabbitServerOptions();
        try
        {
            _password = Prepare();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EngineException($"RabbitMQ's directory {_directory} cannot be made: {e.Message}", e);
        }
        Port = _options.Port;
    }

    /// <summary>What is to be installed first; null if nothing is.</summary>
    public static string? Missing { get; } = File.Exists(Path.Combine(Scripts, "rabbitmq-server")) && FindEpmd() is not null
        ? null : "RabbitMQ is not installed. On Debian: apt-get install rabbitmq-server";

    /// <summary>The virtual host that is there from the start.</summary>
    public const string VirtualHost = "relay";

    /// <summary>AMQP's port; the same after a restart.</summary>
    public int Port { get; private set; }

    /// <summary>AMQP's port with TLS; 0 if <see cref="RabbitServerOptions.Tls"/> is null.</summary>
    public int TlsPort { get; private set; }

    /// <summary>`amqp://user:password@address:port/vhost`.</summary>
    public Uri Uri => UriOf("amqp", Port);

    /// <summary>The process of the Erlang machine itself, not of a script around it.</summary>
    /// <exception cref="InvalidOperationException">It is not running.</exception>
    public int ProcessId => (_broker ?? throw new InvalidOperationException("The broker is not running.")).Id;

    /// <summary>Starts the broker and completes when it takes connections.</summary>
    /// <exception cref="EngineException">It ended or was not up in time; the message ends with what it wrote last.</exception>
    public async Task StartAsync(CancellationToken cancellation = default)
    {
        if (_broker is { HasExited: false }) throw new InvalidOperationException("The broker is running.");
        // Somebody else may have ended it.
        await KillAsync().ConfigureAwait(false);
        for (int attempt = 1; ; attempt++)
        {
            // A port that was free a moment ago may be taken by now: only then is it worth another try.
            if (_epmdPort == 0) ChoosePorts();
            try
            {
                await StartOnceAsync(cancellation).ConfigureAwait(false);
                _hasBeenUp = true;
                return;
            }
            catch (EngineException e) when (attempt < PortAttempts && !_hasBeenUp && _options.Port == 0 && e.Message.Contains("eaddrinuse", StringComparison.Ordinal))
            {
                await EndAllAsync().ConfigureAwait(false);
                (_epmdPort, Port) = (0, 0);
            }
            catch
            {
                await EndAllAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    /// <summary>Has the broker end in an orderly way; killed when it does not in time.</summary>
    public async Task StopAsync(CancellationToken cancellation = default)
    {
        if (_broker is null) return;
        await _broker.StopAsync(_options.StopLimit, cancellation).ConfigureAwait(false);
        _broker = null;
    }

    /// <summary>SIGKILL; completes when the process is gone.</summary>
    public async Task KillAsync()
    {
        if (_broker is null) return;
        await _broker.DisposeAsync().ConfigureAwait(false);
        _broker = null;
    }

    /// <summary>Stops the broker, if it runs, and starts it on the same port with the same data.</summary>
    /// <exception cref="EngineException"/>
    public async Task RestartAsync(CancellationToken cancellation = default)
    {
        await StopAsync(cancellation).ConfigureAwait(false);
        await StartAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Runs `rabbitmqctl` with these arguments against the broker; returns what it wrote.</summary>
    /// <exception cref="EngineException">It failed; the message ends with what it wrote.</exception>
    public async Task<string> ControlAsync(IReadOnlyList<string> arguments, CancellationToken cancellation = default)
    {
        await using var control = RabbitProcess.Start([.. _options.CommandPrefix, Path.Combine(Scripts, "rabbitmqctl"), "-q", .. arguments], _directory, Environment());
        int code = await control.WaitAsync(cancellation).ConfigureAwait(false);
        return code == 0 ? control.Tail : throw new EngineException($"rabbitmqctl {arguments[0]} failed ({code}).\n{control.Tail}");
    }

    /// <summary>Ends the broker and its port mapper. The directory stays.</summary>
    public async ValueTask DisposeAsync() => await EndAllAsync().ConfigureAwait(false);

    private async Task StartOnceAsync(CancellationToken cancellation)
    {
        WriteConfiguration();
        // Ours from the start, so that it can be ended by its id; the broker would leave a daemon behind.
        if (_epmd is null or { HasExited: true })
            _epmd = RabbitProcess.Start([.. _options.CommandPrefix, FindEpmd()!, "-port", Text(_epmdPort), "-address", "127.0.0.1"], _directory, Environment());
        _broker = RabbitProcess.Start([.. _options.CommandPrefix, Path.Combine(Scripts, "rabbitmq-server")], _directory, Environment(), upWhen: "completed with");
        try
        {
            await _broker.Up.WaitAsync(_options.StartLimit, cancellation).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new EngineException($"RabbitMQ was not up within {_options.StartLimit.TotalSeconds:0} s.\n{_broker.Tail}", e);
        }
    }

    private async Task EndAllAsync()
    {
        await StopAsync().ConfigureAwait(false);
        if (_epmd is not null) await _epmd.DisposeAsync().ConfigureAwait(false);
        _epmd = null;
    }

    /// <summary>Makes the directories, and the password unless there is one.</summary>
    private string Prepare()
    {
        if (OperatingSystem.IsWindows()) throw new PlatformNotSupportedException();
        foreach (var name in (string[])["", "home", "mnesia", "log", "plugins"]) Directory.CreateDirectory(Path.Combine(_directory, name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var file = Path.Combine(_directory, "password");
        if (!File.Exists(file)) WritePrivate(file, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));
        return File.ReadAllText(file);
    }

    private void WriteConfiguration()
    {
        List<string> lines =
        [
            $"listeners.tcp.1 = {EndPoint(Port)}",
            $"default_user = {User}",
            $"default_pass = {_password}",
            $"default_vhost = {VirtualHost}",
            // Refused beyond loopback even if somebody adds it.
            "loopback_users.guest = true",
            $"heartbeat = {Text((int)_options.Heartbeat.TotalSeconds)}",
            "log.file.level = info",
            // What no client of ours would take.
            "max_message_size = 16777216",
            // The queues' log: small segments suit small disks, and each is read again at a start.
            "raft.wal_max_size_bytes = 67108864",
        ];
        if (_options.Tls is { } tls)
        {
            lines.AddRange([
                $"listeners.ssl.1 = {EndPoint(TlsPort)}",
                $"ssl_options.cacertfile = {Path.GetFullPath(tls.CaFile)}",
                $"ssl_options.certfile = {Path.GetFullPath(tls.CertificateFile)}",
                $"ssl_options.keyfile = {Path.GetFullPath(tls.KeyFile)}",
                $"ssl_options.verify = {(tls.RequiresClientCertificate ? "verify_peer" : "verify_none")}",
                $"ssl_options.fail_if_no_peer_cert = {(tls.RequiresClientCertificate ? "true" : "false")}",
            ]);
        }
        lines.AddRange(_options.Configuration);
        WritePrivate(Path.Combine(_directory, "rabbitmq.conf"), string.Join('\n', lines) + "\n");
        File.WriteAllText(Path.Combine(_directory, "enabled_plugins"), $"[{string.Join(',', _options.Plugins)}].\n");
    }

    private Dictionary<string, string> Environment() => new()
    {
        // The Erlang cookie lies there.
        ["HOME"] = Path.Combine(_directory, "home"),
        ["ERL_EPMD_PORT"] = Text(_epmdPort),
        ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
        ["RABBITMQ_CONF_ENV_FILE"] = Path.Combine(_directory, "rabbitmq-env.conf"),
        ["RABBITMQ_NODENAME"] = NodeName,
        ["RABBITMQ_DIST_PORT"] = Text(_distributionPort),
        ["RABBITMQ_MNESIA_BASE"] = Path.Combine(_directory, "mnesia"),
        ["RABBITMQ_LOG_BASE"] = Path.Combine(_directory, "log"),
        ["RABBITMQ_CONFIG_FILE"] = Path.Combine(_directory, "rabbitmq.conf"),
        ["RABBITMQ_ADVANCED_CONFIG_FILE"] = Path.Combine(_directory, "advanced.config"),
        ["RABBITMQ_GENERATED_CONFIG_DIR"] = Path.Combine(_directory, "config"),
        ["RABBITMQ_ENABLED_PLUGINS_FILE"] = Path.Combine(_directory, "enabled_plugins"),
        ["RABBITMQ_PLUGINS_EXPAND_DIR"] = Path.Combine(_directory, "plugins"),
        // Schedulers that neither spin nor stick to a core: the broker shares the machine with what it is tested by.
        ["RABBITMQ_SCHEDULER_BUSY_WAIT_THRESHOLD"] = "none",
        ["RABBITMQ_SCHEDULER_BIND_TYPE"] = "u",
        ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}",
        // rabbitmqctl listens as well, on a port that the system gives it.
        ["RABBITMQ_CTL_DIST_PORT_MIN"] = "0",
        ["RABBITMQ_CTL_DIST_PORT_MAX"] = "0",
        // Has the script become the Erlang machine instead of waiting for it: the process that was started is the broker.
        ["detached"] = "1",
    };

    private void ChoosePorts()
    {
        // All held at once, so that they differ.
        var held = new List<Socket>();
        int Free()
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            held.Add(socket);
            socket.Bind(new IPEndPoint(IPAddress.Any, 0));
            return ((IPEndPoint)socket.LocalEndPoint!).Port;
        }
        (_epmdPort, _distributionPort) = (Free(), Free());
        if (Port == 0) Port = Free();
        if (_options.Tls is not null) TlsPort = Free();
        foreach (var socket in held) socket.Dispose();
    }

    private static void WritePrivate(string path, string text)
    {
        if (OperatingSystem.IsWindows()) throw new PlatformNotSupportedException();
        using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        file.Write(System.Text.Encoding.ASCII.GetBytes(text));
    }

    private static string? FindEpmd() => ((string[])["/usr/bin/epmd", "/usr/local/bin/epmd", "/usr/lib/erlang/bin/epmd"]).FirstOrDefault(File.Exists);

    private string EndPoint(int port) => new IPEndPoint(_options.ListenAddress, port).ToString();

    private Uri UriOf(string scheme, int port)
    {
        var address = _options.ListenAddress.Equals(IPAddress.Any) ? IPAddress.Loopback : _options.ListenAddress;
        return new Uri($"{scheme}://{User}:{_password}@{new IPEndPoint(address, port)}/{VirtualHost}");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
