using Microsoft.Extensions.Hosting;
using Relay.Client;

// verify-bot NAME, with the key in RELAY_KEY_FILE, the server in RELAY_SERVER and the customer's number in CUSTOMER_NUMBER.
var builder = Host.CreateApplicationBuilder();
builder.Services.AddRelayBot(args[0]).AddHandler<Support>();
await builder.Build().RunAsync();

internal sealed class Support : BotHandler
{
    private static readonly string s_number = Environment.GetEnvironmentVariable("CUSTOMER_NUMBER")!;

    protected override Task OnTextAsync(TextEvent e, CancellationToken cancellation) => e switch
    {
        { IsVerified: true } => e.ReplyAsync("echo: " + e.Text, cancellation),
        { IsPrivate: true } => e.VerifyAsync(s_number, "What is your customer number?", cancellation),
        _ => Task.CompletedTask,
    };

    // The customer may ask first: this proves that the bot knows the number, too.
    protected override Task OnVerificationAsync(VerificationEvent e, CancellationToken cancellation) =>
        e.WaitsForAnswer ? e.AnswerAsync(s_number, cancellation) : Task.CompletedTask;
}
