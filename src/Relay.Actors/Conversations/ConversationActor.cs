using System.Diagnostics;
using System.Threading.Channels;
using Otr.Core;
using Relay.Actors.Endpoints;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>
/// One conversation's owner in this process: a bounded mailbox and the state. It takes what is queued, steps through it
/// on the state as a candidate, hands one unit to the store, and only once that is durable answers and publishes. If the
/// unit is not known to be durable the candidate is thrown away and the stored state read again.
/// </summary>
internal sealed class ConversationActor(ConversationContext context, string endpointId, string conversationId, Func<ConversationActor, bool> tryRest) : IThreadPoolWorkItem, IDisposable
{
    private readonly Channel<Envelope> _mailbox = Channel.CreateBounded<Envelope>(new BoundedChannelOptions(RelayLimits.MaxMailboxDepth) { SingleReader = true });
    // Received, but left for the next unit because this one was large enough.
    private readonly Queue<Envelope> _carried = [];
    private ConversationState? _state;
    // Found damaged: answered so while it stays in memory, without being read again for every command.
    private bool _isQuarantined;

    public string EndpointId => endpointId;

    public string Id => conversationId;

    /// <summary>Whether it runs now; the shard's, under the shard's lock.</summary>
    public bool IsRunning { get; set; }

    /// <summary>Its place among the idle; the shard's.</summary>
    public LinkedListNode<ConversationActor>? IdlePlace { get; set; }

    /// <summary>Whether it holds anything worth keeping while idle.</summary>
    public bool HasState => _state is not null || _isQuarantined;

    public bool HasMail => _carried.Count > 0 || _mailbox.Reader.TryPeek(out _);

    /// <returns>False if the mailbox is full.</returns>
    public bool TryPost(Envelope envelope) => _mailbox.Writer.TryWrite(envelope);

    // The loop answers every envelope itself and lets nothing out; there is nobody to await it.
    void IThreadPoolWorkItem.Execute() => _ = RunAsync();

    private async Task RunAsync()
    {
        do
        {
            var batch = new Batch();
            try
            {
                await TakeAsync(batch).ConfigureAwait(false);
            }
            catch (StoreException e)
            {
                RelayLog.StoreFailed(context.Log, conversationId, e.Message);
                Drop();
                batch.AnswerAll(Unavailable("store"));
            }
            catch (Exception e)
            {
                // Our own bug. Its message may quote what it choked on, so only its place is logged.
                RelayLog.Fault(context.Log, conversationId, e.GetType().Name, new StackTrace(e, false).GetFrame(0)?.GetMethod()?.ToString());
                Drop();
                batch.AnswerAll(Unavailable("fault"));
            }
            finally
            {
                batch.Wipe();
            }
        }
        while (!tryRest(this));
    }

    private async Task TakeAsync(Batch batch)
    {
        // Taken before anything can fail, so that a failure has somebody to tell and the mailbox empties.
        Receive(batch);
        if (_state is null && await LoadAsync(batch).ConfigureAwait(false) is { } without)
        {
            batch.AnswerAll(without);
            return;
        }
        CommitUnit? unit;
        await context.Computing.EnterAsync(endpointId).ConfigureAwait(false);
        try
        {
            long start = context.Time.GetTimestamp();
            unit = Step(batch);
            context.Telemetry.StepTook(context.Time.GetElapsedTime(start));
        }
        finally
        {
            context.Computing.Leave();
        }
        // A stranger's conversation whose first message was turned away holds nothing.
        if (unit is null && _state!.Version == 0) Drop();
        if (unit is not null && !await CommitAsync(batch, unit).ConfigureAwait(false)) return;
        batch.AnswerDurable();
    }

    private void Receive(Batch batch)
    {
        int bytes = 0;
        while (batch.Envelopes.Count < RelayLimits.MaxCommandsPerUnit && bytes < RelayLimits.MaxBytesPerUnit && (_carried.TryDequeue(out var envelope) || _mailbox.Reader.TryRead(out envelope)))
        {
            batch.Envelopes.Add(envelope);
            bytes += envelope.Length;
        }
    }

    /// <returns>The answer for everybody if there is nothing to step on.</returns>
    private async ValueTask<Reply?> LoadAsync(Batch batch)
    {
        if (_isQuarantined) return new Reply.Quarantined(conversationId);
        AccountCache.AccountLease? lease = null;
        try
        {
            lease = await context.Accounts.AcquireAsync(endpointId, CancellationToken.None).ConfigureAwait(false);
            if (lease is null) return new Reply.NotFound("endpoint");
            if (await context.Loads.ReadAsync(c => context.Store.LoadAsync(endpointId, conversationId, c), CancellationToken.None).ConfigureAwait(false) is { } stored)
            {
                _state = ConversationState.TryOpen(lease, context.Sealer, stored);
                if (_state is null) return await QuarantineAsync(stored).ConfigureAwait(false);
            }
            else
            {
                // Who means an existing one is told so; the first who names the peer begins it.
                foreach (var envelope in batch.Envelopes.TakeWhile(e => e.Peer is null).ToArray()) batch.AnswerNow(envelope, new Reply.NotFound("conversation"));
                if (batch.Envelopes.Count == 0) return new Reply.NotFound("conversation");
                _state = ConversationState.New(lease, batch.Envelopes[0].Peer!);
            }
            lease = null;
            context.Telemetry.Activated();
            return null;
        }
        catch (DamagedEndpointException)
        {
            return new Reply.Quarantined(conversationId);
        }
        finally
        {
            lease?.Dispose();
        }
    }

    private async ValueTask<Reply> QuarantineAsync(ConversationRow stored)
    {
        _isQuarantined = true;
        context.Telemetry.Quarantined("conversation");
        RelayLog.ConversationQuarantined(context.Log, conversationId);
        if (stored.DueMs is not null) await context.Store.SuspendAsync(endpointId, conversationId, CancellationToken.None).ConfigureAwait(false);
        return new Reply.Quarantined(conversationId);
    }

    /// <summary>Steps through the batch; what there is to commit, if anything.</summary>
    private CommitUnit? Step(Batch batch)
    {
        var state = _state!;
        long now = context.NowMs;
        var stepper = new ConversationStepper(context, endpointId, conversationId, state, batch, now);
        if (state.Record.Otr.NextDeadline <= now) stepper.PassTime();
        foreach (var envelope in batch.Envelopes.ToArray())
        {
            if (batch.RowBytes < RelayLimits.MaxBytesPerUnit)
            {
                stepper.Take(envelope);
            }
            else
            {
                batch.Envelopes.Remove(envelope);
                _carried.Enqueue(envelope);
            }
        }
        return stepper.Finish();
    }

    private async ValueTask<bool> CommitAsync(Batch batch, CommitUnit unit)
    {
        var result = await context.Store.CommitAsync(unit, CancellationToken.None).ConfigureAwait(false);
        switch (result)
        {
            case CommitResult.Committed:
                _state!.Committed(unit.DueMs, [.. batch.Taken]);
                if (unit.DueMs is { } due) context.DeadlineSet(due);
                return true;
            case CommitResult.Conflict:
                context.Telemetry.Conflicted();
                RelayLog.Conflict(context.Log, conversationId);
                Drop();
                batch.AnswerAll(Unavailable("conflict"));
                return false;
            case CommitResult.Fenced:
                context.Telemetry.Fenced("commit");
                RelayLog.Fenced(context.Log, conversationId);
                context.Standing.Lose();
                Drop();
                batch.AnswerAll(Unavailable("moved"));
                return false;
            case CommitResult.StreamFull full:
                context.Signals.MarkFull(full.Stream);
                Drop();
                batch.AnswerAll(Overloaded(context, ConversationStepper.BoundName(full.Stream.Kind)));
                return false;
            case CommitResult.TooManyConversations:
                Drop();
                batch.AnswerAll(Overloaded(context, "conversations"));
                return false;
            case CommitResult.NoEndpoint:
                Drop();
                batch.AnswerAll(new Reply.NotFound("endpoint"));
                return false;
            default:
                throw new InvalidOperationException($"Unknown result {result.GetType().Name}.");
        }
    }

    private void Drop()
    {
        _state?.Dispose();
        _state = null;
    }

    internal static Reply.Overloaded Overloaded(ConversationContext context, string bound)
    {
        context.Telemetry.Overloaded(bound);
        return new Reply.Overloaded(bound, RelayLimits.OverloadedRetryAfter);
    }

    internal static Reply.Unavailable Unavailable(string reason) => new(reason, RelayLimits.UnavailableRetryAfter);

    /// <summary>Wipes the state. Only while idle.</summary>
    public void Dispose()
    {
        if (_state is not null) context.Telemetry.Passivated();
        Drop();
    }
}
