using System.Collections.Concurrent;
using System.Text;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>Keeps what a network receives. Nothing is settled unless the test does so, or <see cref="SettlesAtOnce"/>.</summary>
internal sealed class FakeInbox : IBridgeInbox
{
    private readonly BlockingCollection<(string Endpoint, string Peer, string Id, string Text)> _all = [];

    public bool IsConnected { get; private set; }

    public bool SettlesAtOnce { get; set; } = true;

    /// <summary>What settles the messages so far, in their order.</summary>
    public ConcurrentQueue<Action?> Settled { get; } = new();

    public ConcurrentQueue<(string Endpoint, string Message)> Confirmed { get; } = new();

    public void Connected() => IsConnected = true;

    public ValueTask ReceiveAsync(InboundText text, CancellationToken cancellation)
    {
        Settled.Enqueue(text.Settled);
        _all.Add((text.Endpoint, text.Peer, text.MessageId, Encoding.UTF8.GetString(text.Text.Span)), cancellation);
        if (SettlesAtOnce) text.Settled?.Invoke();
        return ValueTask.CompletedTask;
    }

    public void Confirm(string endpoint, string message) => Confirmed.Enqueue((endpoint, message));

    public Task<(string Endpoint, string Peer, string Id, string Text)> NextAsync() =>
        Task.Run(() => _all.TryTake(out var next, Wait.Limit) ? next : throw new TimeoutException("No message arrived."));
}
