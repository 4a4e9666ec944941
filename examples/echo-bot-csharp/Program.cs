using Relay.Client;

// echo-bot NAME …, with the key in RELAY_KEY_FILE and the server in RELAY_SERVER.
var servers = RelayClient.ParseServers(Environment.GetEnvironmentVariable("RELAY_SERVER") ?? "http://127.0.0.1:7420");
await using var client = RelayClient.Connect(servers, RelayKey.FromEnvironment());

await foreach (var e in client.Bot(args).Events())
{
    // A refusal, because the peer has ended the session for example, is a value: there is nobody to answer any more.
    if (e.Text is { } text && e.IsPrivate) await e.ReplyAsync("echo: " + text);
    await e.AckAsync();
}
