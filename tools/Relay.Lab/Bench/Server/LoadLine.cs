using System.Collections.Concurrent;
using Otr.Core;
using Relay.Client;

namespace Relay.Lab.Bench.Server;

/// <summary>
/// The network's side and a bot of some endpoints, each with a separate connection, and the conversations that use them. All calls to
/// Relay go through the public SDK.
/// </summary>
internal sealed class LoadLine : IAsyncDisposable
{
    private readonly RelayClient _botClient;
    private readonly IReadOnlyList<string> _endpoints;
    private readonly BotReading _reading;
    private readonly ConcurrentDictionary<(string Endpoint, string Peer), LoadConversation> _conversations = [];
    private readonly DsaPrivateKey _contactKey = DsaPrivateKey.Generate(SystemRandom.Instance);
    private readonly OtrAccount _contact;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _fault = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _running;
    private int _next;

    /// <param name="carrier">Disposed of with the line.</param>
    /// <param name="botClient">Disposed of with the line.</param>
    /// <param name="endpoints"><c>endpoints/{endpoint}</c></param>
    /// <param name="reading">How the bot gets its events.</param>
    public LoadLine(ILoadCarrier carrier, RelayClient botClient, IReadOnlyList<string> endpoints, BotReading reading)
    {
        (Carrier, _botClient, _endpoints, _reading) = (carrier, botClient, endpoints, reading);
        _contact = new OtrAccount(_contactKey, 0x1001);
        _running = Task.WhenAll(Run(c => Carrier.RunAsync(Receive, c)), Run(HearAsync));
    }

    public ILoadCarrier Carrier { get; }

    /// <summary>The bot's connection.</summary>
    public RelayClient Bot => _botClient;

    /// <summary>Called for each text that the bot receives, with the timestamp at which it was sent.</summary>
    public Action<LoadConversation, BotEvent?, long>? Heard { get; set; }

    /// <summary>Called for each text that a contact receives, with the timestamp at which it was sent.</summary>
    public Action<LoadConversation, long>? Read { get; set; }

    /// <summary>Adds a conversation of a new contact; the endpoints are used in turn.</summary>
    public LoadConversation Add()
    {
        int n = Interlocked.Increment(ref _next);
        var conversation = new LoadConversation(this, _endpoints[n % _endpoints.Count], $"contact-{n}@load.example", _contact);
        _conversations[(conversation.Endpoint, conversation.Peer)] = conversation;
        return conversation;
    }

    public void Remove(LoadConversation conversation)
    {
        if (_conversations.TryRemove((conversation.Endpoint, conversation.Peer), out _)) conversation.Dispose();
    }

    /// <summary>Completes with the task, or fails as soon as the line has a fault.</summary>
    public async Task OrFault(Task task) => await await Task.WhenAny(task, _fault.Task);

    /// <summary>Completes with the task; its failure becomes the fault of the line.</summary>
    public async Task Watch(Task task)
    {
        try
        {
            await task;
        }
        catch (Exception e)
        {
            Fail(e);
            throw;
        }
    }

    public void Fail(Exception fault)
    {
        if (!_stop.IsCancellationRequested) _fault.TrySetException(fault);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Carrier.DisposeAsync();
        await _running;
        await _botClient.DisposeAsync();
        foreach (var conversation in _conversations.Values) conversation.Dispose();
        _contactKey.Dispose();
        // Marks the exception as observed, because possibly nothing awaits it.
        if (_fault.Task.IsFaulted) _ = _fault.Task.Exception;
        _stop.Dispose();
    }

    private void Receive(string endpoint, string peer, ReadOnlyMemory<byte> wire)
    {
        if (_conversations.TryGetValue((endpoint, peer), out var conversation)) conversation.Receive(wire);
    }

    private Task HearAsync(CancellationToken cancellation) => _reading.RunAsync(_botClient, _endpoints, (message, e) =>
    {
        if (_conversations.TryGetValue((message.Endpoint, message.Peer), out var conversation)) conversation.Hear(message, e);
    }, cancellation);

    private async Task Run(Func<CancellationToken, Task> body)
    {
        try
        {
            await body(_stop.Token);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Cancelled by DisposeAsync.
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }
}
