using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Relay.Lab.Demo;
using Relay.Lab.OtrPeer;
using Relay.Lab.Processes;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>Somebody with an XMPP client and OTR: libotr or Otr.Core in a process of its own, behind <see cref="XmppClient"/>.</summary>
internal sealed class OtrContact : IAsyncDisposable
{
    private readonly string _bot;
    private readonly List<JsonElement> _events = [];
    private readonly CancellationTokenSource _stop = new();
    private ContactProcess _otr = null!;
    private XmppClient _xmpp;
    private Task _receiving = Task.CompletedTask;

    private OtrContact(XmppClient xmpp, string bot)
    {
        _xmpp = xmpp;
        _bot = bot;
    }

    /// <param name="implementation">libotr or relay.</param>
    public static async Task<OtrContact> StartAsync(XmppClient xmpp, string bot, string implementation, string directory)
    {
        ProcessStartInfo info;
        if (implementation == "libotr")
        {
            var found = LibotrPeer.TryBuild(Directory.CreateDirectory(directory).FullName, out var program, out var reason);
            Assert.SkipUnless(found, reason);
            info = new ProcessStartInfo(program, ["alice", bot]) { UseShellExecute = false };
        }
        else
        {
            info = RelayProgram.LabStartInfo("otr-peer", "alice", bot);
        }
        var contact = new OtrContact(xmpp, bot);
        contact._otr = await ContactProcess.StartAsync(info, contact.OnEventAsync, CancellationToken.None);
        contact._receiving = contact.ReceiveAsync(xmpp);
        return contact;
    }

    /// <summary>Goes on with another connection, and perhaps another resource.</summary>
    public async Task MoveToAsync(XmppClient xmpp)
    {
        await _xmpp.DisposeAsync();
        await _receiving;
        _xmpp = xmpp;
        _receiving = ReceiveAsync(xmpp);
    }

    public Task DoAsync(string command) => _otr.RunAsync(command, CancellationToken.None);

    public Task SayAsync(string text) => _otr.SendAsync(text, CancellationToken.None);

    /// <summary>Says something, and waits for the bot's answer in a private session.</summary>
    public async Task EchoAsync(string text)
    {
        await SayAsync(text);
        await HearsAsync("echo: " + text);
    }

    public Task HearsAsync(string text, bool encrypted = true) => SeesAsync(e => Kind(e) == "plain" && e.GetProperty("encrypted").GetBoolean() == encrypted
        && Encoding.UTF8.GetString(e.GetProperty("data").GetBytesFromBase64()) == text);

    public int Count(Func<JsonElement, bool> isOne)
    {
        lock (_events) return _events.Count(isOne);
    }

    public int TimesHeard(string text) => Count(e => Kind(e) == "plain" && Encoding.UTF8.GetString(e.GetProperty("data").GetBytesFromBase64()) == text);

    public int TimesSecure => Count(e => Kind(e) == "state" && e.GetProperty("cause").GetString() is "gone-secure" or "still-secure");

    public Task SeesAsync(Func<JsonElement, bool> isIt) => Wait.UntilAsync(() => Count(isIt) > 0);

    public static string Kind(JsonElement e) => e.GetProperty("event").GetString()!;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _xmpp.DisposeAsync();
        await _receiving;
        await _otr.DisposeAsync();
    }

    private async ValueTask OnEventAsync(JsonElement e)
    {
        if (Kind(e) == "wire") await _xmpp.SendMessageAsync(_bot, Encoding.UTF8.GetString(e.GetProperty("data").GetBytesFromBase64()));
        else lock (_events) _events.Add(e);
    }

    private async Task ReceiveAsync(XmppClient xmpp)
    {
        try
        {
            await foreach (var message in xmpp.Messages.ReadAllAsync(_stop.Token))
            {
                if (XmppClient.Body(message) is { } body && message.Attribute("type")?.Value != "error")
                    await _otr.ReceiveAsync(Encoding.UTF8.GetBytes(body), _stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }
}
