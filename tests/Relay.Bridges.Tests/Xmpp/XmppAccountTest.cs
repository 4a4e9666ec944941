using System.Text;
using System.Text.RegularExpressions;
using Relay.Bridges.Xmpp;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>The client of an account, and a server that is written line by line.</summary>
public abstract class XmppAccountTest : IDisposable
{
    protected const string Bot = "endpoints/bot", Conflict = "<conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>";
    private protected ScriptedAccountServer Server { get; } = new();
    protected EndpointDirectory Endpoints { get; } = new(XmppAccountNetwork.AddressOf("bot@example.org"));
    private protected ManualTime Time { get; } = new();
    private protected FakeInbox Inbox { get; } = new();
    protected CancellationTokenSource Stop { get; } = new();
    protected XmppAccountNetwork Network { get; set; }

    protected XmppAccountTest()
    {
        Endpoints.Add(Bot, "bot@example.org");
        Network = new XmppAccountNetwork(Options, Endpoints);
    }

    private protected XmppAccountOptions Options => new()
    {
        Account = "Bot@Example.org", Password = () => "the password", Host = "127.0.0.1", Port = Server.Port, Resource = "r", Time = Time,
        Authorities = [Server.Certificate],
    };

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        Stop.Cancel();
        Server.Dispose();
    }

    protected async Task<Task<ConnectionEnd>> ConnectAsync()
    {
        var running = RunAsync();
        await Server.BeginSessionAsync();
        await Wait.UntilAsync(() => Inbox.IsConnected);
        return running;
    }

    protected Task<ConnectionEnd> RunAsync() => Network.RunAsync(Inbox, Stop.Token).InTime();

    /// <summary>Returns once everything that the server has said before was read.</summary>
    protected async Task SettledAsync()
    {
        await Server.SayAsync(Message("eve@example.org/r", "a mark"));
        while ((await Inbox.NextAsync()).Text != "a mark") { }
    }

    /// <summary>The answer to the last ping.</summary>
    protected string Pong() =>
        $"<iq type='result' from='example.org' to='bot@example.org/r' id='{Regex.Matches(Server.Heard, "id='([^']*relay-ping-[0-9]+)'")[^1].Groups[1].Value}'/>";

    protected static OutboundText Text(string peer, string text) => new(Bot, peer, 1, Encoding.UTF8.GetBytes(text));

    protected static string Message(string from, string body, string more = "") =>
        $"<message type='chat' {more} from='{from}' to='bot@example.org/r'><body>{body}</body></message>";
}
