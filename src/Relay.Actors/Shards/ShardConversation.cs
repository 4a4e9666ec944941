using System.Diagnostics;
using System.Threading.Channels;
using Relay.Actors.Conversations;
using Relay.Actors.Telemetry;
using Relay.Storage;

namespace Relay.Actors.Shards;

/// <summary>A message in a mailbox, with the promise of its reply.</summary>
/// <param name="continuations">Continuation options for the reply.</param>
internal sealed class Envelope(IConversationMessage message, TaskCreationOptions continuations = TaskCreationOptions.RunContinuationsAsynchronously)
{
    private readonly TaskCompletionSource<ConversationReply> _reply = new(continuations);

    public IConversationMessage Message => message;

    public int Length { get; } = (message as ConversationCommand)?.Command.TextLength ?? 0;

    public Task<ConversationReply> Reply => _reply.Task;

    /// <summary>Completes the reply; later calls are ignored.</summary>
    public void Answer(ConversationReply reply) => _reply.TrySetResult(reply);
}

/// <summary>
/// A conversation's owner in this process: a bounded mailbox and the state. Whatever has queued up becomes one batch, one
/// <see cref="ConversationTurn"/> and one commit, whose result releases the replies.
/// </summary>
/// <param name="tryRest">Asked when the mailbox is empty: false if something has come since.</param>
internal sealed class ShardConversation(ConversationContext context, ShardStanding standing, ConversationKey key, Func<ShardConversation, bool> tryRest)
    : IThreadPoolWorkItem, IDisposable
{
    private readonly Channel<Envelope> _mailbox =
        Channel.CreateBounded<Envelope>(new BoundedChannelOptions(RelayLimits.MaxMailboxDepth) { SingleReader = true });
    // Left for the next turn because the last one was large enough.
    private readonly Queue<Envelope> _carried = [];
    private ConversationState? _state;
    // Set once the row is known to be damaged: it is not read again for every command.
    private ConversationReply? _quarantined;

    public ConversationKey Key => key;

    /// <summary>Whether it runs now; guarded by the shard's lock.</summary>
    public bool IsRunning { get; set; }

    /// <summary>Its place in the shard's list of the idle.</summary>
    public LinkedListNode<ShardConversation>? IdlePlace { get; set; }

    /// <summary>Whether it holds anything worth keeping while idle.</summary>
    public bool HasState => _state is not null || _quarantined is not null;

    public bool HasMail => _carried.Count > 0 || _mailbox.Reader.TryPeek(out _);

    /// <returns>False if the mailbox is full.</returns>
    public bool TryPost(Envelope envelope) => _mailbox.Writer.TryWrite(envelope);

    void IThreadPoolWorkItem.Execute() => _ = RunAsync();

    private async Task RunAsync()
    {
        do
        {
            var batch = Receive();
            try
            {
                await TakeAsync(batch).ConfigureAwait(false);
            }
            catch (StoreException e)
            {
                RelayLog.StoreFailed(context.Log, key.ConversationId, e.Message);
                Drop();
                AnswerAll(batch, ConversationTurn.Unavailable("store"));
            }
            catch (Exception e)
            {
                // Our own bug. Its message may quote what it choked on, so only its place is logged.
                RelayLog.Fault(context.Log, key.ConversationId, e.GetType().Name, new StackTrace(e, false).GetFrame(0)?.GetMethod()?.ToString());
                Drop();
                AnswerAll(batch, ConversationTurn.Unavailable("fault"));
            }
        }
        while (!tryRest(this));
    }

    private async Task TakeAsync(List<Envelope> batch)
    {
        if (_quarantined is { } damaged)
        {
            AnswerAll(batch, damaged);
            return;
        }
        if (_state is null)
        {
            var loaded = await ConversationLoader.LoadAsync(context, key, CancellationToken.None).ConfigureAwait(false);
            if (loaded.IsQuarantined) _quarantined = loaded.Without;
            if (loaded.Without is { } without)
            {
                AnswerAll(batch, without);
                return;
            }
            _state = loaded.State!;
        }
        using var turn = await DecideAsync(batch, _state).ConfigureAwait(false);
        for (int i = turn.Taken; i < batch.Count; i++) _carried.Enqueue(batch[i]);
        Answer(batch, turn.Known);
        if (turn.Unit is not null) await CommitAsync(batch, turn).ConfigureAwait(false);
        else if (!_state.IsStored) Drop();
    }

    private async ValueTask<ConversationTurn> DecideAsync(List<Envelope> batch, ConversationState state)
    {
        await context.Computing.EnterAsync(key.EndpointId).ConfigureAwait(false);
        try
        {
            long start = context.Time.GetTimestamp();
            var turn = ConversationTurn.Decide(context.Turn, key, state, [.. batch.Select(e => e.Message)], standing.Fence, context.NowMs);
            context.Turn.Telemetry.StepTook(context.Time.GetElapsedTime(start));
            return turn;
        }
        finally
        {
            context.Computing.Leave();
        }
    }

    private async ValueTask CommitAsync(List<Envelope> batch, ConversationTurn turn)
    {
        IReadOnlyList<TurnReply> replies;
        try
        {
            var (end, released) = turn.Apply(await context.Store.CommitAsync(turn.Unit!, CancellationToken.None).ConfigureAwait(false));
            replies = released;
            if (end == TurnEnd.Kept && turn.Unit!.DueMs is { } due) context.DeadlineSet(due);
            if (end != TurnEnd.Kept) Drop();
            if (end == TurnEnd.Fenced) standing.Lose();
        }
        catch (StoreException e)
        {
            RelayLog.StoreFailed(context.Log, key.ConversationId, e.Message);
            replies = turn.Fail("store");
            Drop();
        }
        Answer(batch, replies);
        // Nobody waits any more for what is left unanswered: the shard is another node's.
        if (standing.IsLost) AnswerAll(batch, ConversationTurn.Unavailable(ConversationReply.Moved));
    }

    private List<Envelope> Receive()
    {
        var batch = new List<Envelope>();
        int bytes = 0;
        while (batch.Count < RelayLimits.MaxCommandsPerUnit && bytes < RelayLimits.MaxBytesPerUnit
            && (_carried.TryDequeue(out var envelope) || _mailbox.Reader.TryRead(out envelope)))
        {
            batch.Add(envelope);
            bytes += envelope.Length;
        }
        return batch;
    }

    private static void Answer(List<Envelope> batch, IReadOnlyList<TurnReply> replies)
    {
        foreach (var (index, reply) in replies) batch[index].Answer(reply);
    }

    private static void AnswerAll(List<Envelope> batch, ConversationReply reply)
    {
        foreach (var envelope in batch) envelope.Answer(reply);
    }

    private void Drop()
    {
        _state?.Dispose();
        _state = null;
    }

    /// <summary>Wipes the state. Only while idle.</summary>
    public void Dispose()
    {
        if (_state is not null) context.Turn.Telemetry.Passivated();
        Drop();
    }
}
