using Akka.Actor;

namespace Relay.Actors.Conversations;

/// <summary>A command on its way, and the reference that its answer is sent to, however often the command is sent.</summary>
/// <param name="bytes">What it was admitted with.</param>
internal sealed class PendingCommand(PendingCommands all, ActorPath path, IConversationMessage message, long expiresAtMs, int bytes)
    : MinimalActorRef
{
    private readonly TaskCompletionSource<ConversationReply> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // Null once it is over: the reference is kept for a while, and need not keep the text.
    private IConversationMessage? _message = message;
    private ConversationReply? _moved;

    public override ActorPath Path => path;

    public override IActorRefProvider Provider => all.Provider;

    /// <summary>
    /// The answer. After the command's expiry it is that it takes too long, although what may still have an effect counts as in flight.
    /// </summary>
    public Task<ConversationReply> Answer => _answer.Task;

    /// <summary>When it is looked after next, as a timestamp; guarded by the lock of <see cref="PendingCommands"/>.</summary>
    public long Due { get; set; }

    protected override void TellInternal(object received, IActorRef sender)
    {
        if (received is not ConversationAnswer (var key, var requestId, var reply) || Volatile.Read(ref _message) is not { } asked) return;
        bool isOurs = key == asked.Key && requestId == asked.RequestId;
        if (isOurs && reply is not ConversationReply.Unavailable { Reason: ConversationReply.Moved })
        {
            End(reply);
            return;
        }
        // The next owner will be known soon.
        Volatile.Write(ref _moved, isOurs ? reply : ConversationTurn.Unavailable(ConversationReply.Moved));
        all.LookLater(this);
    }

    /// <summary>It was not answered for a while, or its conversation has moved.</summary>
    public void Look()
    {
        if (Volatile.Read(ref _message) is not { } asked) return;
        long now = all.NowMs;
        var moved = Interlocked.Exchange(ref _moved, null);
        if (now < expiresAtMs)
        {
            if (moved is not null) all.Resend(this, asked);
            else if (asked is ConversationCommand command) all.Resend(this, command with { IsRepeated = true });
            else all.LookLater(this);
        }
        else if (moved is not null)
        {
            End(moved);
        }
        else if (now >= expiresAtMs + (long)RelayLimits.AnswerGrace.TotalMilliseconds)
        {
            End(ConversationTurn.Unavailable(ConversationReply.Slow));
        }
        else
        {
            _answer.TrySetResult(ConversationTurn.Unavailable(ConversationReply.Slow));
            all.LookLater(this);
        }
    }

    private void End(ConversationReply reply)
    {
        if (Interlocked.Exchange(ref _message, null) is not { } asked) return;
        // Before the caller knows of it.
        all.Leave(this, asked.Key.EndpointId, bytes);
        _answer.TrySetResult(reply);
    }
}
