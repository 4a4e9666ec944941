using Relay.Client;

namespace Relay.Sdk.Tests;

/// <summary>The methods that docs/guides/csharp.md shows; a test compares them.</summary>
internal static class GuideSnippets
{
    public static async Task<string> SayAsync(RelayClient relay, string peer, string text)
    {
        var outcome = await relay.Bot("support").SendToAsync("endpoints/support", peer, text);
        return outcome.Refusal is { } refusal ? "refused: " + refusal.Reason : outcome.Response.Disposition.ToString();
    }

    public static async Task AuditAsync(RelayClient relay, TextWriter output, CancellationToken cancellation)
    {
        await foreach (var e in relay.Bot("support").Subscription("endpoints/support/subscriptions/audit", cancellation))
        {
            try
            {
                await output.WriteLineAsync($"{e.Peer} {e.CleanText}");
                await e.AckAsync(cancellation);
            }
            catch (IOException)
            {
                // Again in a minute.
                await e.NackAsync(TimeSpan.FromMinutes(1), "the output is closed", cancellation);
            }
        }
    }
}
