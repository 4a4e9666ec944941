using System.Text;
using System.Text.Json;
using Relay.Client;

// A bridge for a "network" of JSON lines, {"peer": …, "id": …, "text": …}: what arrives on standard input goes to Relay,
// what Relay wants carried appears on standard output. Put your network's client in place of the two.
//   bridge endpoints/NAME, with the key in RELAY_KEY_FILE and the server in RELAY_SERVER.
var servers = RelayClient.ParseServers(Environment.GetEnvironmentVariable("RELAY_SERVER") ?? "http://127.0.0.1:7420");
await using var client = RelayClient.Connect(servers, RelayKey.FromEnvironment());
await using var bridge = client.Bridge(args[0]);

var strict = new JsonSerializerOptions(JsonSerializerOptions.Web) { RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true };
var outward = CarryOutAsync();
var underWay = new List<Task>();
while (await Console.In.ReadLineAsync() is { } line)
{
    Message? message = null;
    try
    {
        message = JsonSerializer.Deserialize<Message>(line, strict);
    }
    catch (JsonException)
    {
        // Told below, as "null" is.
    }
    if (message is null)
    {
        await Console.Error.WriteLineAsync("A line must be {\"peer\": …, \"id\": …, \"text\": …}.");
        continue;
    }
    // Not awaited one by one: the SDK keeps each peer's order, and different peers do not wait for each other.
    underWay.RemoveAll(t => t.IsCompletedSuccessfully);
    underWay.Add(CarryInAsync(message));
}
await Task.WhenAll(underWay);
await bridge.DisposeAsync();
await outward;
return;

async Task CarryInAsync(Message message)
{
    // The network's own message id: a message that the network delivers twice then takes effect once.
    var result = await bridge.DeliverAsync(message.Peer, message.Id, Encoding.UTF8.GetBytes(message.Text));
    if (result.RejectReason.Length > 0) await Console.Error.WriteLineAsync($"rejected: {result.RejectReason}");
}

async Task CarryOutAsync()
{
    await foreach (var message in bridge.Outbound())
    {
        Console.Out.WriteLine(JsonSerializer.Serialize(new Message(message.Peer, $"{message.Message.Sequence}", Encoding.UTF8.GetString(message.Text.Span)), JsonSerializerOptions.Web));
        // Only once the network has it: what is not acknowledged comes again after a crash.
        await message.AckAsync();
    }
}

internal sealed record Message(string Peer, string Id, string Text);
