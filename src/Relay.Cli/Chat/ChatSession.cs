using Relay.Cli.Verify;
using Relay.Client;
using Relay.V1;
using State = Relay.V1.Verification.Types.State;

namespace Relay.Cli.Chat;

/// <summary>Sends input lines and shows the events of one conversation, until the input ends or contains <c>/quit</c>.</summary>
internal sealed class ChatSession(RelayClient client, Bot bot, string endpoint, string peer, ChatTerminal terminal, ChatScreen screen)
{
    public async Task RunAsync(bool start, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        screen.Hint($"Chatting as {endpoint} with {peer}. /help lists the commands; other lines are sent.");
        var showing = ShowAsync(stop.Token);
        try
        {
            if (start) await StartAsync(cancellation);
            var reading = ReadAsync(cancellation);
            await await Task.WhenAny(reading, showing);
        }
        finally
        {
            terminal.Leave();
            await stop.CancelAsync();
            await ((Task)showing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReadAsync(CancellationToken cancellation)
    {
        // ReadLine on a terminal blocks its thread until a line is complete and cannot be cancelled.
        while (await Task.Run(terminal.ReadLine, CancellationToken.None).WaitAsync(cancellation) is { } line)
        {
            try
            {
                switch (ChatLine.Parse(line))
                {
                    case ChatLine.Nothing: break;
                    case ChatLine.Quit: return;
                    case ChatLine.Start: await StartAsync(cancellation); break;
                    case ChatLine.End: await EndAsync(cancellation); break;
                    case ChatLine.Help: screen.Help(); break;
                    case ChatLine.Fingerprint: await ShowKeysAsync(cancellation); break;
                    case ChatLine.Verify verify: await VerifyAsync(verify.Question, cancellation); break;
                    case ChatLine.Cancel: await CancelAsync(cancellation); break;
                    case ChatLine.Unknown unknown: screen.Unknown(unknown.Word); break;
                    case ChatLine.Say say: await SendAsync(say.Text, cancellation); break;
                    case var other: throw new System.Diagnostics.UnreachableException(other.GetType().Name);
                }
            }
            catch (RelayException e)
            {
                screen.Refused(e);
            }
        }
    }

    private async Task StartAsync(CancellationToken cancellation)
    {
        _ = (await bot.StartSessionAsync(endpoint, peer, cancellation: cancellation)).Response;
        screen.Hint("Offered a private session.");
    }

    private async Task EndAsync(CancellationToken cancellation)
    {
        if (await FindAsync(cancellation) is { } conversation)
            _ = (await bot.EndSessionAsync(conversation.Name, cancellation: cancellation)).Response;
    }

    /// <summary>Begins a verification, or answers the one that the peer has begun, by a secret that is typed without being shown.</summary>
    private async Task VerifyAsync(string? question, CancellationToken cancellation)
    {
        if (await FindPrivateAsync(cancellation) is not ({ } conversation, _)) return;
        var asked = question is not null ? null
            : await VerificationRun.FindAsync(client, conversation, v => v.State == State.WaitingForAnswer, cancellation);
        screen.AsksForSecret(asked);
        var prompt = asked is null ? "Secret: " : "Answer: ";
        var secret = await Task.Run(() => terminal.ReadSecret(prompt), CancellationToken.None).WaitAsync(cancellation);
        if (secret is not { Length: > 0 })
        {
            screen.Hint(asked is null ? "No verification was begun." : "It still waits; /verify answers, /cancel declines.");
            return;
        }
        _ = (asked is null
            ? await bot.VerifyAsync(conversation, secret, question, cancellation: cancellation)
            : await bot.AnswerVerificationAsync(asked.Name, secret, cancellation: cancellation)).Response;
        if (asked is null) screen.Hint("The peer is asked.");
    }

    private async Task CancelAsync(CancellationToken cancellation)
    {
        if (await FindAsync(cancellation) is not { } conversation) return;
        var open = await VerificationRun.FindAsync(client, conversation.Name, VerificationRun.IsOpen, cancellation);
        if (open is null) screen.Hint("No verification is open.");
        else _ = (await bot.CancelVerificationAsync(open.Name, cancellation: cancellation)).Response;
    }

    /// <summary>The conversation as it is now; null, and a hint, if there is none yet.</summary>
    private async Task<Conversation?> FindAsync(CancellationToken cancellation)
    {
        var found = await bot.FindConversationAsync(endpoint, peer, cancellation);
        if (found is null) screen.Hint("There is no conversation yet; /start begins one.");
        return found;
    }

    /// <summary>The name of the conversation and its private session; null, and a hint, if there is none.</summary>
    private async Task<(string? Conversation, Session Session)> FindPrivateAsync(CancellationToken cancellation)
    {
        if (await FindAsync(cancellation) is not { } found) return default;
        if (found.Sessions.FirstOrDefault(s => s.State == MessageState.Encrypted) is { } session) return (found.Name, session);
        screen.Hint("No private session is established; /start offers one.");
        return default;
    }

    /// <summary>Shows both keys and the session's words, which people can compare over another channel.</summary>
    private async Task ShowKeysAsync(CancellationToken cancellation)
    {
        var request = new GetEndpointRequest { Name = endpoint };
        var own = await client.CallAsync(o => client.Endpoints.GetEndpointAsync(request, o), cancellation);
        screen.Told("our key", EndpointNames.Fingerprint(own.Fingerprint));
        if (await FindPrivateAsync(cancellation) is not (not null, var session)) return;
        screen.Told("peer's key", EndpointNames.Fingerprint(session.PeerFingerprint) + (session.PeerVerified ? ", verified" : ", not verified"));
        screen.Told("session id", EndpointNames.Ssid(session));
    }

    private async Task SendAsync(string line, CancellationToken cancellation)
    {
        var sent = (await bot.SendToAsync(endpoint, peer, line, cancellation: cancellation)).Response;
        screen.Sent(line, sent.Disposition);
    }

    private async Task ShowAsync(CancellationToken cancellation)
    {
        bool hasSkipped = false;
        await foreach (var e in bot.Events(cancellation))
        {
            // Events of other peers must stay unacknowledged for their own consumers. Acknowledgements are cumulative, so after the first
            // such event nothing is acknowledged.
            hasSkipped |= e.Peer != peer;
            if (e.Peer != peer) continue;
            screen.Event(e.Message);
            if (!hasSkipped) await e.AckAsync();
        }
    }
}
