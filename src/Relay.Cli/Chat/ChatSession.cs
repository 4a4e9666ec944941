using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Chat;

/// <summary>Sends input lines and shows the events of one conversation, until the input ends or contains <c>/quit</c>.</summary>
internal sealed class ChatSession(Bot bot, string endpoint, string peer, ChatTerminal terminal, ChatScreen screen)
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
