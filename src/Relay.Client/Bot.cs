using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Grpc.Core;
using Relay.Client.Streams;
using Relay.V1;

namespace Relay.Client;

/// <summary>Reads events and sends plaintext for endpoints. Needs a key of scope bot.</summary>
public sealed partial class Bot
{
    private const int Buffered = 64;
    private readonly RelayClient _client;
    private readonly IReadOnlyList<string> _endpoints;

    internal Bot(RelayClient client, IReadOnlyList<string> endpoints)
    {
        _client = client;
        _endpoints = endpoints;
    }

    /// <summary>
    /// Streams the events of the endpoints, in order for each endpoint, starting with the first unacknowledged one. Reconnects
    /// automatically. An enumeration yields each event once; a later enumeration yields unacknowledged events again.
    /// </summary>
    /// <exception cref="RelayException">The server refuses permanently, for example because of the key or the endpoint.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async IAsyncEnumerable<BotEvent> Events([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var outgoing = new BotOutgoing(new Cursors(_endpoints));
        var settler = new EndpointSettler(outgoing.Acknowledge);
        var events = Channel.CreateBounded<BotEvent>(Buffered);
        var loop = new StreamLoop<StreamEventsRequest, StreamEventsResponse>(_client.Options, _client.Servers,
            o => _client.EventStreams.StreamEvents(o), outgoing, async (response, closing) =>
        {
            if (response.MessageCase == StreamEventsResponse.MessageOneofCase.Draining) return Next.Reconnect;
            if (response.MessageCase == StreamEventsResponse.MessageOneofCase.Event
                && outgoing.Cursors.Give(response.Event.Endpoint, response.Event.Sequence))
                await events.Writer.WriteAsync(BotEvent.Of(this, response.Event, settler), closing);
            return Next.Continue;
        });

        using var closing = new CancellationTokenSource();
        var running = Run();
        try
        {
            await foreach (var e in events.Reader.ReadAllAsync(cancellation)) yield return e;
        }
        finally
        {
            await closing.CancelAsync();
            await running;
        }

        async Task Run()
        {
            try
            {
                await loop.RunAsync(closing.Token);
                events.Writer.TryComplete();
            }
            catch (Exception e)
            {
                events.Writer.TryComplete(e);
            }
        }
    }

    /// <summary>
    /// Sends text in a conversation. Returns when the message is durable, or refused; with a wait, when it is known what became of it, or
    /// when the time is over (<see cref="SendMessageResponse.Message"/>).
    /// </summary>
    /// <param name="requestId">Idempotency key: calls with the same id send once. Null: a new one.</param>
    /// <param name="wait">At most 60 seconds.</param>
    /// <exception cref="RelayException">The cause is the key, the request or the server, not the conversation.</exception>
    public Task<Outcome<SendMessageResponse>> SendAsync(string conversation, string text, string? requestId = null,
        TimeSpan wait = default, CancellationToken cancellation = default) =>
        SendAsync(conversation, "", text, requestId, wait, cancellation);

    /// <summary>
    /// Sends text to a peer, and creates the conversation if there is none. Returns when the message is durable, or refused.
    /// </summary>
    /// <param name="requestId">Idempotency key: calls with the same id send once. Null: a new one.</param>
    /// <exception cref="RelayException">The cause is the key, the request or the server, not the conversation.</exception>
    public Task<Outcome<SendMessageResponse>> SendToAsync(string endpoint, string peer, string text, string? requestId = null,
        TimeSpan wait = default, CancellationToken cancellation = default) =>
        SendAsync(endpoint, peer, text, requestId, wait, cancellation);

    /// <summary>Gets a message, with what has become of it. The server remembers the latest of a conversation.</summary>
    /// <param name="message">Its name, from <see cref="SendMessageResponse.Message"/>.</param>
    /// <exception cref="RelayException">There is no such message any more, or the server does not answer.</exception>
    public Task<Message> GetMessageAsync(string message, CancellationToken cancellation = default) =>
        _client.CallAsync(o => _client.Messages.GetMessageAsync(new GetMessageRequest { Name = message }, o), cancellation);

    /// <summary>Takes back a message that is held; any other is refused (<c>MESSAGE_NOT_HELD</c>).</summary>
    /// <exception cref="RelayException">The cause is the key, the request or the server, not the conversation.</exception>
    public Task<Outcome<Message>> CancelMessageAsync(string message, string? requestId = null, CancellationToken cancellation = default)
    {
        var request = new CancelMessageRequest { RequestId = requestId ?? NewId(), Name = message };
        return OutcomeAsync(o => _client.Messages.CancelMessageAsync(request, o), cancellation);
    }

    /// <summary>Offers a peer a private session; the peer's client decides whether one is established.</summary>
    /// <exception cref="RelayException">The cause is the key, the request or the server, not the conversation.</exception>
    public Task<Outcome<StartSessionResponse>> StartSessionAsync(string endpoint, string peer, string? requestId = null,
        CancellationToken cancellation = default)
    {
        var request = new StartSessionRequest { RequestId = requestId ?? NewId(), Parent = endpoint, Peer = peer };
        return OutcomeAsync(o => _client.Conversations.StartSessionAsync(request, o), cancellation);
    }

    /// <summary>Ends a conversation's private session and notifies the peer.</summary>
    /// <exception cref="RelayException">The cause is the key, the request or the server, not the conversation.</exception>
    public Task<Outcome<EndSessionResponse>> EndSessionAsync(string conversation, string? requestId = null,
        CancellationToken cancellation = default)
    {
        var request = new EndSessionRequest { RequestId = requestId ?? NewId(), Parent = conversation };
        return OutcomeAsync(o => _client.Conversations.EndSessionAsync(request, o), cancellation);
    }

    /// <summary>
    /// Begins to verify the peer by a secret that both people know, or by a question that only the peer can answer (SMP). The result
    /// comes as an event (<see cref="BotEvent.Verification"/>).
    /// </summary>
    /// <param name="secret">Compared byte by byte with what the peer enters: agree on case and blanks.</param>
    /// <param name="question">What the peer is asked; null: for the secret itself.</param>
    /// <exception cref="RelayException">The cause is the key, the request or the server, not the conversation.</exception>
    public Task<Outcome<Verification>> VerifyAsync(string conversation, string secret, string? question = null, string? requestId = null,
        CancellationToken cancellation = default)
    {
        var request = new CreateVerificationRequest
        {
            RequestId = requestId ?? NewId(), Parent = conversation, Secret = secret, Question = question ?? "",
        };
        return OutcomeAsync(o => _client.Verifications.CreateVerificationAsync(request, o), cancellation);
    }

    /// <summary>Answers a verification that the peer began.</summary>
    /// <param name="verification">Its name, from <see cref="BotEvent.Verification"/>.</param>
    /// <exception cref="RelayException">The cause is the key, the request or the server, not the conversation.</exception>
    public Task<Outcome<Verification>> AnswerVerificationAsync(string verification, string secret, string? requestId = null,
        CancellationToken cancellation = default)
    {
        var request = new AnswerVerificationRequest { RequestId = requestId ?? NewId(), Name = verification, Secret = secret };
        return OutcomeAsync(o => _client.Verifications.AnswerVerificationAsync(request, o), cancellation);
    }

    /// <summary>Declines or aborts an open verification, and tells the peer.</summary>
    /// <exception cref="RelayException">The cause is the key, the request or the server, not the conversation.</exception>
    public Task<Outcome<Verification>> CancelVerificationAsync(string verification, string? requestId = null,
        CancellationToken cancellation = default)
    {
        var request = new CancelVerificationRequest { RequestId = requestId ?? NewId(), Name = verification };
        return OutcomeAsync(o => _client.Verifications.CancelVerificationAsync(request, o), cancellation);
    }

    private Task<Outcome<SendMessageResponse>> SendAsync(string parent, string peer, string text, string? requestId, TimeSpan wait,
        CancellationToken cancellation)
    {
        var request = new SendMessageRequest { RequestId = requestId ?? NewId(), Parent = parent, Peer = peer, Text = text };
        if (wait > TimeSpan.Zero) request.Wait = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(wait);
        return OutcomeAsync(o => _client.Messages.SendMessageAsync(request, wait > TimeSpan.Zero ? o.WithDeadline(o.Deadline!.Value + wait) : o),
            cancellation);
    }

    /// <summary>As <c>SendAsync</c>; a request id that was used is a refusal.</summary>
    internal async Task<Outcome<SendMessageResponse>> ReplyAsync(string conversation, string text, string requestId,
        CancellationToken cancellation)
    {
        try
        {
            return await SendAsync(conversation, text, requestId, cancellation: cancellation);
        }
        catch (RelayException e) when (e.IsReusedRequestId)
        {
            return new Outcome<SendMessageResponse>(e);
        }
    }

    private Task<Outcome<T>> OutcomeAsync<T>(Func<CallOptions, AsyncUnaryCall<T>> call, CancellationToken cancellation)
        where T : class => Outcome<T>.OfAsync(() => _client.CallAsync(call, cancellation));

    private static string NewId() => Guid.NewGuid().ToString("N");

    private sealed class BotOutgoing(Cursors cursors) : IOutgoing<StreamEventsRequest>
    {
        private readonly Wakeup _wakeup = new();

        public Cursors Cursors => cursors;

        public void Acknowledge(BotEvent e)
        {
            if (cursors.Acknowledge(e.Endpoint, e.Message.Sequence)) _wakeup.Set();
        }

        public void Restart() => cursors.Restart();

        public StreamEventsRequest? Next() =>
            cursors.NextOpen() is { } open ? new StreamEventsRequest { Open = open }
            : cursors.NextAcknowledgement() is { } ack ? new StreamEventsRequest { Ack = ack }
            : null;

        public ValueTask WaitAsync(CancellationToken cancellation) => _wakeup.WaitAsync(cancellation);
    }
}
