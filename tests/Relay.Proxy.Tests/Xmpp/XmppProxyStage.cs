using System.Xml.Linq;
using Relay.Bridges.Tests.Xmpp;

namespace Relay.Proxy.Tests.Xmpp;

/// <summary>Prosody, the proxy of alice's account as a process, alice's client in front of it, and bob behind the server.</summary>
internal sealed class XmppProxyStage : IAsyncDisposable
{
    public const string Alice = "alice@example.org", Bob = "bob@example.org", Service = "otr@relay.invalid";
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-proxy-").FullName;
    private readonly List<IAsyncDisposable> _parts = [];

    public SecureProsody Xmpp { get; private set; } = null!;

    public RelayProcess Proxy { get; private set; } = null!;

    public int Port { get; private set; }

    /// <summary>Everything that bob's client got, as it came.</summary>
    public List<string> Wire { get; } = [];

    public static async Task<XmppProxyStage> StartAsync(params string[] switches)
    {
        var stage = new XmppProxyStage();
        try
        {
            stage.Xmpp = await SecureProsody.StartAsync(stage._directory, "alice", "bob");
            await stage.StartProxyAsync(switches);
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    public string PathOf(string name) => Path.Combine(_directory, name);

    public async Task StartProxyAsync(params string[] switches)
    {
        Proxy = RelayProcess.Start([
            "proxy", "xmpp", "--account", Alice, "--listen", "127.0.0.1:" + Port, "--upstream", $"127.0.0.1:{Xmpp.ClientPort}",
            "--upstream-ca", Xmpp.CertificateFile, "--directory", PathOf("account"), "--json", .. switches,
        ]);
        _parts.Add(Proxy);
        await Proxy.PrintsAsync("\"ready\"");
        var ready = System.Text.Json.JsonDocument.Parse(Proxy.Printed.Split('\n').Last(l => l.Contains("\"ready\"", StringComparison.Ordinal)));
        Port = int.Parse(ready.RootElement.GetProperty("address").GetString()!.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture);
    }

    public async Task<Person> LogInAsync(string resource = "phone")
    {
        try
        {
            var person = new Person(await XmppClient.LogInAsync(Port, "alice", resource));
            _parts.Add(person);
            return person;
        }
        catch (System.Xml.XmlException e)
        {
            throw new InvalidOperationException($"The login failed; the proxy says:\n{Proxy.Printed}", e);
        }
    }

    /// <summary>Bob with libotr, on the server itself.</summary>
    public async Task<OtrContact> StartBobAsync(string implementation = "libotr")
    {
        var bob = await OtrContact.StartAsync(await XmppClient.LogInAsync(Xmpp.ClientPort, "bob", "laptop"), Alice, implementation, PathOf("peer"));
        _parts.Add(bob);
        return bob;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(_parts)) await part.DisposeAsync();
        if (Xmpp is not null) await Xmpp.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}

/// <summary>A person in front of the proxy: a client without OTR, with everything that it is shown.</summary>
internal sealed class Person : IAsyncDisposable
{
    private readonly XmppClient _client;
    private readonly List<(string From, string Body)> _shown = [];
    private readonly List<XElement> _errors = [];
    private readonly Task _reading;

    public Person(XmppClient client)
    {
        _client = client;
        _reading = ReadAsync();
    }

    public XmppClient Client => _client;

    public IReadOnlyList<(string From, string Body)> Shown
    {
        get
        {
            lock (_shown) return [.. _shown];
        }
    }

    public IReadOnlyList<XElement> Errors
    {
        get
        {
            lock (_shown) return [.. _errors];
        }
    }

    public Task SayAsync(string to, string text) => _client.SendMessageAsync(to, text);

    public Task CommandAsync(string text) => SayAsync(XmppProxyStage.Service, text);

    /// <summary>Waits for a text that begins with something, from an address that begins with something.</summary>
    public async Task SeesAsync(string from, string part)
    {
        try
        {
            await Wait.UntilAsync(() => Shown.Any(s => s.From.StartsWith(from, StringComparison.Ordinal) && s.Body.Contains(part, StringComparison.Ordinal)));
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"'{part}' of {from} is not shown:\n{string.Join('\n', Shown)}");
        }
    }

    public Task IsToldAsync(string part) => SeesAsync(XmppProxyStage.Service, part);

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _reading;
    }

    private async Task ReadAsync()
    {
        await foreach (var message in _client.Messages.ReadAllAsync())
        {
            lock (_shown)
            {
                if ((string?)message.Attribute("type") == "error") _errors.Add(message);
                else if (XmppClient.Body(message) is { } body) _shown.Add(((string?)message.Attribute("from") ?? "", body));
            }
        }
    }
}
