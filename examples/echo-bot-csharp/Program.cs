using Relay.Client;

// echo-bot NAME …, with the key in RELAY_KEY_FILE and the server in RELAY_SERVER.
await using var client = RelayClient.FromEnvironment();

await foreach (var e in client.Bot(args).Events())
{
    // A refusal, because the peer has ended the session for example, is a value: there is nobody to answer any more.
    if (e.Text is { } text && e.IsPrivate) await e.ReplyAsync("echo: " + text);
    await e.AckAsync();
}
