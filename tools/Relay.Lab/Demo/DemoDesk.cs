using System.Text;
using System.Threading.Channels;
using Relay.Client;

namespace Relay.Lab.Demo;

/// <summary>
/// A second endpoint for <c>--stay</c>, whose contact answers every text: the user takes the part of the bot with <c>relay chat</c>.
/// </summary>
internal static class DemoDesk
{
    private const string EndpointId = "desk";
    private const string Account = "desk@demo.example";

    public static async Task OpenAsync(DemoStage stage, RelayClient admin, string implementation, CancellationToken cancellation)
    {
        await DemoStage.CreateEndpointAsync(admin, EndpointId, Account, cancellation);
        var name = "endpoints/" + EndpointId;
        var bridge = stage.Connect(stage.BridgeKeyFile).Bridge(name);
        var network = new DemoNetwork(bridge, name, new DemoTranscript(TimeProvider.System));
        stage.Keep(bridge);
        stage.Keep(network);

        var heard = Channel.CreateUnbounded<string>();
        var contact = await stage.StartContactAsync(implementation, Account, e =>
        {
            if (e.GetProperty("event").GetString() == "plain" && e.GetProperty("encrypted").GetBoolean())
                heard.Writer.TryWrite(Encoding.UTF8.GetString(e.GetProperty("data").GetBytesFromBase64()));
            return network.OnContactEventAsync(e);
        }, cancellation);
        await contact.RunAsync($"fragment {DemoStage.MaxWireBytes}", cancellation);
        network.Start(contact);
        _ = stage.Run(stop => AnswerAsync(contact, heard.Reader, stop));
    }

    private static async Task AnswerAsync(ContactProcess contact, ChannelReader<string> heard, CancellationToken stop)
    {
        await foreach (var text in heard.ReadAllAsync(stop))
            await contact.SendAsync($"You wrote {text.Length} characters. In capitals: {text.ToUpperInvariant()}", stop);
    }
}
