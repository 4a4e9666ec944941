using System.Globalization;
using System.Text.Json;
using Relay.Bridges.Tests.Irc;
using Relay.Bridges.Tests.Xmpp;

namespace Relay.Proxy.Tests.Irc;

/// <summary>A real IRC server, and the proxy of alice's nick in front of it as a process.</summary>
internal sealed class IrcProcessStage : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-ircproxy-").FullName;
    private readonly List<IAsyncDisposable> _parts = [];
    private string[] _switches = [];

    public RealIrcServer Irc { get; private set; } = null!;

    public RelayProcess Proxy { get; private set; } = null!;

    public int Port { get; private set; }

    /// <summary>The password that the proxy made for clients.</summary>
    public string Password { get; private set; } = "";

    public static async Task<IrcProcessStage> StartAsync(string server, params string[] switches)
    {
        var stage = new IrcProcessStage { _switches = switches };
        try
        {
            stage.Irc = await RealIrcServer.StartAsync(server, Directory.CreateDirectory(stage.PathOf("server")).FullName);
            stage._parts.Add(stage.Irc);
            File.SetUnixFileMode(stage._directory, (UnixFileMode)Convert.ToInt32("755", 8));
            await stage.StartProxyAsync();
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    public string PathOf(string name) => Path.Combine(_directory, name);

    public T Add<T>(T part)
        where T : IAsyncDisposable
    {
        _parts.Add(part);
        return part;
    }

    public async Task StartProxyAsync()
    {
        Proxy = Add(RelayProcess.Start([
            "proxy", "irc", "--account", "alice@127.0.0.1", "--listen", $"127.0.0.1:{Port}", "--upstream", $"127.0.0.1:{Irc.Port}", "--no-tls",
            "--directory", PathOf("account"), "--json", .. _switches,
        ]));
        await Proxy.PrintsAsync("\"ready\"");
        using var ready = JsonDocument.Parse(Proxy.Printed.Split('\n').Last(l => l.Contains("\"ready\"", StringComparison.Ordinal)));
        Port = int.Parse(ready.RootElement.GetProperty("address").GetString()!.Split(':')[1], CultureInfo.InvariantCulture);
        if (ready.RootElement.GetProperty("clientPasswordFile").GetString() is { } file) Password = File.ReadAllText(file).Trim();
    }

    /// <summary>Bob with libotr, on the server itself.</summary>
    public async Task<(IrcUser User, LibotrContact Otr)> StartBobAsync()
    {
        var user = Add(await IrcUser.ConnectAsync("bob", Irc.Port));
        var otr = Add(await LibotrContact.StartAsync("bob", "alice", text => user.SayAsync("alice", text)));
        user.Received = otr.ReceiveAsync;
        return (user, otr);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(_parts)) await part.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}
