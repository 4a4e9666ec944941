using Otr.Core;
using Relay.Cli;
using Relay.Client;
using Relay.V1;

namespace Relay.Lab.Bench.Server;

/// <summary>
/// One conversation of the load generator: a contact with its own OTR state on the network's side, and the events that the bot
/// receives on the other. Numbers the texts in both directions, to detect lost, duplicated and reordered ones.
/// </summary>
internal sealed class LoadConversation(LoadLine line, string endpoint, string peer, OtrAccount account) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly OtrConversation _otr = new(account, new OtrSettings { Policy = OtrPolicy.AllowV3 });
    private readonly List<OtrEffect> _effects = [];
    private readonly TaskCompletionSource _contactIsPrivate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _botIsPrivate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _wires;
    private long _said, _heard, _answered, _read;

    public string Endpoint => endpoint;

    public string Peer => peer;

    /// <summary>The numbers of texts that the contact has sent and the bot has received.</summary>
    public (long Said, long Heard) Counts => (Volatile.Read(ref _said), Volatile.Read(ref _heard));

    /// <summary>The contact requests a private session; completes when both sides report it as established.</summary>
    public async Task BeginAsync()
    {
        await Take(new OtrInput.StartRequested());
        await line.OrFault(Task.WhenAll(_contactIsPrivate.Task, _botIsPrivate.Task));
    }

    /// <summary>The contact sends its next text; completes when Relay has accepted it.</summary>
    public Task SayAsync() => Take(new OtrInput.SendRequested(LoadText.Next(Interlocked.Increment(ref _said))));

    /// <summary>Encrypts the contact's next text without sending it.</summary>
    public ReadOnlyMemory<byte> Encrypt()
    {
        lock (_lock)
        {
            _effects.Clear();
            _otr.Step(new OtrInput.SendRequested(LoadText.Next(++_said)), Now, _effects);
            return _effects.OfType<OtrEffect.SendWire>().Single().Text;
        }
    }

    /// <summary>Processes wire text for the contact.</summary>
    public void Receive(ReadOnlyMemory<byte> wire) => _ = Take(new OtrInput.WireReceived(wire));

    /// <summary>Processes an event for the bot.</summary>
    /// <param name="e">The SDK's event, by which it can be answered; null where it came by another way.</param>
    public void Hear(Event message, BotEvent? e)
    {
        if (message.SessionChanged is { Cause: SessionChanged.Types.Cause.KeyExchange }) _botIsPrivate.TrySetResult();
        if (message.TextReceived?.Text is not { } text) return;
        var (number, sent) = LoadText.Read(text);
        Count(ref _heard, number, "bot");
        line.Heard?.Invoke(this, e, sent);
    }

    /// <summary>The bot sends its next text; completes when Relay has accepted it.</summary>
    public Task SendAsync(ISending sending) => line.Watch(sending.SendAsync(
        endpoint, peer, System.Text.Encoding.ASCII.GetString(LoadText.Next(Interlocked.Increment(ref _answered)))));

    /// <summary>The bot answers with its next text.</summary>
    public Task AnswerAsync(BotEvent e)
    {
        var text = System.Text.Encoding.ASCII.GetString(LoadText.Next(Interlocked.Increment(ref _answered)));
        return line.Watch(ReplyAsync());

        // A refusal is a fault of the load.
        async Task ReplyAsync() => _ = (await e.ReplyAsync(text)).Response;
    }

    public void Dispose() => _otr.Dispose();

    private static OtrEnvironment Now => new(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), SystemRandom.Instance);

    private Task Take(OtrInput input)
    {
        var last = Task.CompletedTask;
        long? read = null;
        lock (_lock)
        {
            _effects.Clear();
            _otr.Step(input, Now, _effects);
            foreach (var effect in _effects)
            {
                switch (effect)
                {
                    case OtrEffect.SendWire wire:
                        // Sent under the lock, so that the order is kept.
                        last = line.Watch(line.Carrier.DeliverAsync(endpoint, peer, $"{++_wires}", wire.Text));
                        break;
                    case OtrEffect.DeliverText text:
                        var (number, sent) = LoadText.Read(System.Text.Encoding.ASCII.GetString(text.Text.Span));
                        Count(ref _read, number, "contact");
                        read = sent;
                        break;
                    case OtrEffect.SessionChanged { Cause: SessionCause.KeyExchange }:
                        _contactIsPrivate.TrySetResult();
                        break;
                    case OtrEffect.Rejected rejected:
                        line.Fail(new CommandFailure(
                            ExitCode.Failed, $"A contact of the load rejected a message from Relay: {rejected.Reason}."));
                        break;
                }
            }
        }
        // Outside the lock: the callback may send a text in this conversation.
        if (read is { } when) line.Read?.Invoke(this, when);
        return last;
    }

    private void Count(ref long last, long number, string who)
    {
        if (number == ++last) return;
        line.Fail(new CommandFailure(
            ExitCode.Failed, $"The {who} got text {number} where {last} was expected: a text was lost, duplicated or reordered."));
    }
}
