using System.Text;
using Relay.Bridges.Xmpp;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>Contacts' presence that the bridge asks for: text of a session waits for a device that is away (checklist, points 8, 17 and 40).</summary>
public sealed class AskedPresenceTests : IDisposable
{
    private const string Bot = "endpoints/bot", Session = "?OTR:AAMD";
    private readonly ScriptedServer _server = new();
    private readonly EndpointDirectory _endpoints = new(XmppNetwork.AddressIn("otr.example.org"));
    private readonly FakeInbox _inbox = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly XmppNetwork _network;

    public AskedPresenceTests()
    {
        _endpoints.Add(Bot, "bot@otr.example.org");
        _network = new XmppNetwork(Options, _endpoints);
    }

    private XmppOptions Options => new()
    {
        Host = "127.0.0.1", Port = _server.Port, Domain = "otr.example.org", Secret = () => "secret", Time = new ManualTime(), AsksForPresence = true,
    };

    public void Dispose()
    {
        _stop.Cancel();
        _server.Dispose();
    }

    [Fact]
    public async Task Who_subscribes_is_asked_in_return()
    {
        await ConnectAsync();
        await _server.SayAsync("<presence type='subscribe' from='a@example.org' to='bot@otr.example.org'/>");
        await _server.HearAsync("<presence from='bot@otr.example.org' to='a@example.org' type='subscribe'/>");
    }

    [Fact]
    public async Task After_a_reconnect_text_of_a_session_waits_until_its_device_is_known_to_be_there()
    {
        var running = await ConnectAsync();
        await _server.SayAsync(Message("a@example.org/phone", Session) + Message("b@example.org/phone", Session)
            + "<presence from='a@example.org/phone' to='bot@otr.example.org'/>" + Message("a@example.org/phone", "a mark"));
        while ((await _inbox.NextAsync()).Text != "a mark") { }
        _server.Hang();
        await running;
        await ConnectAsync();
        // The one whose presence came is asked; nothing is known of the other one's, and its device is taken to be there.
        await _server.HearAsync("<presence from='bot@otr.example.org' to='a@example.org' type='probe'/>");
        _ = _network.CarryAsync(Text("a@example.org", Session), _stop.Token);
        _ = _network.CarryAsync(Text("b@example.org", Session), _stop.Token);
        await _server.HearAsync("to='b@example.org/phone'");
        Assert.DoesNotContain("to='a@example.org/phone'", _server.Heard, StringComparison.Ordinal);
        await _server.SayAsync("<presence from='a@example.org/phone' to='bot@otr.example.org'/>");
        await _server.HearAsync("to='a@example.org/phone'");
        Assert.DoesNotContain("to='b@example.org' type='probe'", _server.Heard, StringComparison.Ordinal);
    }

    private async Task<Task<ConnectionEnd>> ConnectAsync()
    {
        var running = _network.RunAsync(_inbox, _stop.Token).InTime();
        await _server.AcceptComponentAsync();
        return running;
    }

    private static OutboundText Text(string peer, string text) => new(Bot, peer, 1, Encoding.UTF8.GetBytes(text));

    private static string Message(string from, string body) =>
        $"<message type='chat' from='{from}' to='bot@otr.example.org'><body>{body}</body></message>";
}
