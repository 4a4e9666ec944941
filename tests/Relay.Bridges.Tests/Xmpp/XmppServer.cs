using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>
/// An XMPP server of Debian on free loopback ports, with its own configuration and data: the lines for the component are those of
/// docs/bridges.md, as they are.
/// </summary>
internal abstract class XmppServer(string directory) : IAsyncDisposable
{
    public const string Domain = "example.org", ComponentDomain = "otr.example.org", Secret = "long random secret";

    private readonly (int Client, int Component) _ports = FreePorts();
    private Process? _process;

    public int ClientPort => _ports.Client;
    public int ComponentPort => _ports.Component;

    /// <summary>The certificate in PEM, for the domain, which signs itself; null: clients log in without TLS.</summary>
    public virtual string? CertificateFile => null;

    /// <summary>The component's port speaks TLS, with a certificate for localhost.</summary>
    public virtual bool HasComponentTls => false;

    protected string DirectoryPath { get; } = Directory.CreateDirectory(directory).FullName;

    /// <summary>Configures and starts a server with accounts whose password is their name and <c>-password</c>; skips the test where it is missing.</summary>
    /// <param name="name">prosody, prosody+MODULE, secure-prosody, ejabberd or secure-ejabberd.</param>
    public static async Task<XmppServer> StartAsync(string name, string directory, params string[] accounts)
    {
        var own = Path.Combine(directory, name);
        XmppServer server = name switch
        {
            "prosody" => new Prosody(own),
            _ when name.StartsWith("prosody+", StringComparison.Ordinal) => new Prosody(own, name["prosody+".Length..]),
            "secure-prosody" => new SecureProsody(own),
            _ => new Ejabberd(own, accounts, hasTls: name == "secure-ejabberd"),
        };
        await server.ConfigureAsync(accounts);
        await server.RunAsync();
        return server;
    }

    /// <summary>Starts the server, and returns once it takes connections.</summary>
    public async Task RunAsync()
    {
        var info = StartInfo();
        info.RedirectStandardOutput = info.RedirectStandardError = true;
        info.WorkingDirectory = DirectoryPath;
        _process = Process.Start(info)!;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await Wait.UntilAsync(() => _process.HasExited || (Listens(ClientPort) && Listens(ComponentPort)));
        Assert.False(_process.HasExited, $"The server ended: {Log}");
    }

    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await KillAsync();
    }

    protected abstract Task ConfigureAsync(string[] accounts);

    protected abstract ProcessStartInfo StartInfo();

    protected abstract string Log { get; }

    /// <summary>The lines of the documentation in a language, with the port of this server.</summary>
    protected string Documented(string language)
    {
        var lines = Regex.Match(File.ReadAllText(Path.Combine(Repository.Root, "docs", "bridges.md")), $"```{language}\n(.*?)```", RegexOptions.Singleline).Groups[1].Value;
        Assert.Contains("5347", lines, StringComparison.Ordinal);
        return lines.Replace("5347", $"{ComponentPort}", StringComparison.Ordinal);
    }

    internal static bool Listens(int port)
    {
        using var tcp = new TcpClient();
        try
        {
            tcp.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Two, taken together: one that is given back may be given again.</summary>
    internal static (int, int) FreePorts()
    {
        using TcpListener one = new(IPAddress.Loopback, 0), other = new(IPAddress.Loopback, 0);
        one.Start();
        other.Start();
        return (((IPEndPoint)one.LocalEndpoint).Port, ((IPEndPoint)other.LocalEndpoint).Port);
    }
}
