using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Chat;

/// <summary>Sends input lines and shows the events of one conversation, until the input ends or contains <c>/quit</c>.</summary>
internal sealed class ChatSession(RelayClient client, Bot bot, string endpoint, string peer, ChatTerminal terminal, ChatScreen screen)
{
    private string? _conversation;

    public async Task RunAsync(bool start, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var showing = ShowAsync(stop.Token);
        try
        {
            screen.Hint($"Chatting as {endpoint} with {peer}. {ChatLine.Commands}");
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
        _conversation = (await bot.StartSessionAsync(endpoint, peer, cancellation: cancellation)).Response.Conversation;
        screen.Hint("Offered a private session.");
    }

    private async Task EndAsync(CancellationToken cancellation)
    {
        if (_conversation is null) screen.Hint("There is no conversation yet.");
        else _ = (await bot.EndSessionAsync(_conversation, cancellation: cancellation)).Response;
    }

    /// <summary>Shows both keys and the session's words, which people can compare over another channel.</summary>
    private async Task ShowKeysAsync(CancellationToken cancellation)
    {
        var request = new GetEndpointRequest { Name = endpoint };
        var own = await client.CallAsync(o => client.Endpoints.GetEndpointAsync(request, o), cancellation);
        screen.Told("our key", EndpointNames.Fingerprint(own.Fingerprint));
        if (_conversation is null)
        {
            screen.Hint("There is no conversation yet.");
            return;
        }
        var name = new GetConversationRequest { Name = _conversation };
        var found = await client.CallAsync(o => client.Conversations.GetConversationAsync(name, o), cancellation);
        var session = found.Sessions.FirstOrDefault(s => s.State == MessageState.Encrypted);
        if (session is null)
        {
            screen.Hint("No private session is established; /start offers one.");
            return;
        }
        screen.Told("peer's key", EndpointNames.Fingerprint(session.PeerFingerprint) + (session.PeerVerified ? ", verified" : ", not verified"));
        screen.Told("session id", EndpointNames.Ssid(session));
    }

    private async Task SendAsync(string line, CancellationToken cancellation)
    {
        var sent = (await bot.SendToAsync(endpoint, peer, line, cancellation: cancellation)).Response;
        _conversation = sent.Conversation;
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
            _conversation = e.Conversation;
            screen.Event(e.Message);
            if (!hasSkipped) await e.AckAsync();
        }
    }
}
