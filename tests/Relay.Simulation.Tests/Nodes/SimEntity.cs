using Otr.Core;
using Relay.Actors;
using Relay.Actors.Conversations;
using Relay.Simulation.Tests.Engine;
using Relay.Storage;

namespace Relay.Simulation.Tests.Nodes;

/// <summary>
/// The entity of one conversation on one node, with the rules of the actor's shell around the real turn: load, take what has
/// queued up as one batch, commit, and only then reply. It has the fence of the claim under which it was made.
/// </summary>
internal sealed class SimEntity(SimNode node, SimShard shard, ConversationKey key)
{
    private readonly Queue<Waiting> _queue = [];
    private readonly List<Waiting> _batch = [];
    private ConversationState? _state;
    private bool _isRunning, _isEnding;

    private sealed record Waiting(IConversationMessage Message, Action<ConversationReply> Reply, object Sender);

    public ConversationKey Key => key;

    /// <summary>Nothing waits and nothing is being dealt with.</summary>
    public bool IsIdle => !_isRunning && InHand == 0;

    public bool HasState => _state is not null;

    /// <summary>Messages that wait or are being dealt with.</summary>
    public int InHand => _queue.Count + _batch.Count;

    private Schedule Schedule => node.Cluster.Schedule;

    /// <param name="sender">The ask; the same for each time that it is sent.</param>
    public void Receive(IConversationMessage message, object sender, Action<ConversationReply> reply)
    {
        if (message is ConversationCommand { IsRepeated: true } && _queue.Concat(_batch).Any(w => w.Sender == sender)) return;
        if (_queue.Count >= node.Profile.MaxQueue && !node.Has(NodeMutation.IgnoresQueueBound))
        {
            reply(node.Environment.Overloaded("mailbox"));
            return;
        }
        if (node.Has(NodeMutation.ChecksExpiryOnArrival) && message is ConversationCommand command && command.ExpiresAtMs <= node.NowMs)
        {
            reply(ConversationTurn.Unavailable(ConversationReply.Expired));
            return;
        }
        _queue.Enqueue(new Waiting(message, reply, sender));
        if (_queue.Count > node.Profile.MaxQueue) Schedule.Fail(new ViolationException(Invariant.Bounds, "An entity's queue is longer than its bound."));
        Begin();
    }

    /// <summary>The shard is another node's: finishes what is under way, answers the rest, and ends.</summary>
    public void HandOver()
    {
        _isEnding = true;
        foreach (var waiting in _queue) waiting.Reply(ConversationTurn.Unavailable(ConversationReply.Moved));
        _queue.Clear();
        if (!_isRunning) End();
    }

    /// <summary>Puts an idle conversation out of memory.</summary>
    public void Passivate()
    {
        Discard();
        shard.Remove(this);
    }

    private void Begin()
    {
        if (_isRunning || _queue.Count == 0) return;
        _isRunning = true;
        Schedule.Post(node.Process, shard.IsLatest ? "entity takes a turn" : "zombie takes a turn", _queue.Count, () => Schedule.Watch(TakeTurnAsync()));
    }

    private async Task TakeTurnAsync()
    {
        while (_batch.Count < node.Profile.MaxBatch && _queue.TryDequeue(out var waiting)) _batch.Add(waiting);
        bool isFenced = false;
        try
        {
            isFenced = await DealWithBatchAsync();
        }
        catch (StoreException)
        {
            Schedule.Note(node.Process.Name, "StoreFailed");
            Discard();
            AnswerAll(ConversationTurn.Unavailable("store"));
        }
        _batch.Clear();
        _isRunning = false;
        // As a lost lease does: the shard is claimed anew by whoever is given it next.
        if (isFenced) node.GiveUp(shard.Fence.Shard, shard.Fence.Epoch);
        if (_isEnding || isFenced) End();
        else if (!node.Has(NodeMutation.StallsAfterATurn)) Begin();
        if (IsIdle && shard.Has(this)) node.Rests(this);
    }

    /// <returns>Whether the shard is found to be another node's.</returns>
    private async Task<bool> DealWithBatchAsync()
    {
        if (_state is null)
        {
            var loaded = await ConversationLoader.LoadAsync(node.Context, key, CancellationToken.None);
            if (loaded.Without is { } without)
            {
                AnswerAll(without);
                return false;
            }
            _state = loaded.State!;
            if (node.Has(NodeMutation.ForgetsHeldKeys)) ForgetHeldKeys(_state);
        }
        using var turn = ConversationTurn.Decide(node.Environment, key, _state, [.. _batch.Select(w => Message(w))], shard.Fence, node.NowMs);
        if (turn.Taken < _batch.Count) throw new InvalidOperationException("A turn of few and short messages left some over.");
        Answer(turn.Known);
        if (turn.Unit is null)
        {
            if (!_state.IsStored) Discard();
            return false;
        }
        if (node.Has(NodeMutation.AnswersBeforeCommit)) AnswerAsIfCommitted(_state);
        CommitResult result;
        try
        {
            result = await node.Store.CommitAsync(turn.Unit, CancellationToken.None);
        }
        catch (StoreException)
        {
            Schedule.Note(node.Process.Name, "StoreFailed");
            if (!node.Has(NodeMutation.KeepsTheCandidate)) Discard();
            Answer(turn.Fail("store"));
            return false;
        }
        var (end, replies) = turn.Apply(result);
        if (end != TurnEnd.Kept)
        {
            Schedule.Note(node.Process.Name, result.GetType().Name);
            if (!node.Has(NodeMutation.KeepsTheCandidate)) Discard();
        }
        Answer(replies);
        return end == TurnEnd.Fenced;
    }

    private void ForgetHeldKeys(ConversationState state)
    {
        if (!state.IsBegun) return;
        foreach (var held in state.Otr.KnownKeys.Where(k => k.Standing == KeyStanding.Held))
            state.Otr.Step(new OtrInput.KeyDecided(held.Fingerprint, true), new OtrEnvironment(node.NowMs, node.Environment.Random), []);
    }

    private IConversationMessage Message(Waiting waiting)
        => node.Has(NodeMutation.ChecksExpiryOnArrival) && waiting.Message is ConversationCommand command ? command with { ExpiresAtMs = node.NowMs + 1 } : waiting.Message;

    private void AnswerAsIfCommitted(ConversationState state)
    {
        foreach (var waiting in _batch)
        {
            bool isSend = waiting.Message is ConversationCommand { Command: Command.SendText };
            waiting.Reply(new ConversationReply.Done(key.ConversationId, state.Otr.State, isSend ? SendDisposition.Encrypted : null));
        }
    }

    private void Answer(IEnumerable<TurnReply> replies)
    {
        foreach (var (index, reply) in replies) _batch[index].Reply(reply);
    }

    private void AnswerAll(ConversationReply reply)
    {
        foreach (var waiting in _batch) waiting.Reply(reply);
    }

    private void End()
    {
        _queue.Clear();
        Discard();
        shard.Remove(this);
    }

    private void Discard()
    {
        _state?.Dispose();
        _state = null;
    }
}

/// <summary>One claim of a shard by a node, and the entities under it.</summary>
internal sealed class SimShard(SimNode node, ShardFence fence)
{
    private readonly Dictionary<ConversationKey, SimEntity> _entities = [];
    private Action? _whenEmpty;

    public ShardFence Fence => fence;

    /// <summary>Nobody has claimed the shard since.</summary>
    public bool IsLatest => node.Cluster.Store.Epoch(fence.Shard) == fence.Epoch;

    public IEnumerable<SimEntity> Entities => _entities.Values;

    public bool Has(SimEntity entity) => _entities.GetValueOrDefault(entity.Key) == entity;

    /// <summary>The conversation's entity, made if it is not there; null while the shard is handed over.</summary>
    public SimEntity? Entity(ConversationKey key)
    {
        if (_whenEmpty is not null) return null;
        if (!_entities.TryGetValue(key, out var entity)) _entities.Add(key, entity = new SimEntity(node, this, key));
        return entity;
    }

    public void Remove(SimEntity entity)
    {
        if (!Has(entity)) return;
        _entities.Remove(entity.Key);
        node.Forget(entity);
        if (_entities.Count == 0) _whenEmpty?.Invoke();
    }

    /// <summary>Ends all entities; <paramref name="done"/> is called once the last has ended.</summary>
    public void HandOver(Action done)
    {
        if (_whenEmpty is not null) return;
        _whenEmpty = done;
        if (_entities.Count == 0) done();
        else foreach (var entity in _entities.Values.ToArray()) entity.HandOver();
    }
}
