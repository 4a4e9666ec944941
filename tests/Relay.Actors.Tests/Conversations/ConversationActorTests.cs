using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.TestKit;
using Akka.TestKit.Xunit;
using Relay.Actors.Conversations;
using Relay.Actors.Outbox;
using Relay.Actors.Tests.Harness;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Tests.Conversations;

/// <summary>The entity's shell: when it loads, commits and replies, what it bounds, and how it ends.</summary>
public sealed class ConversationActorTests : TestKit
{
    private const string Settings = """
        akka { loglevel = OFF, stdout-loglevel = OFF }
        relay.conversation-dispatcher { type = Dispatcher }
        """;
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);
    private static readonly ShardFence s_fence = new(3, 7);

    private readonly EntityHarness _harness = new();
    private readonly TestProbe _parent;

    public ConversationActorTests() : base(Settings) => _parent = CreateTestProbe("parent");

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing) _harness.Dispose();
    }

    private IActorRef Start(ShardStanding? standing = null)
        => _parent.ChildActorOf(ConversationActor.Props(_harness.Context, _harness.Key, standing ?? ShardStanding.Sole));

    private TestProbe Ask(IActorRef entity, IConversationMessage message)
    {
        var asker = CreateTestProbe();
        entity.Tell(message, asker);
        return asker;
    }

    private static ConversationReply Reply(TestProbe asker)
        => asker.ExpectMsg<ConversationAnswer>(s_limit, cancellationToken: TestContext.Current.CancellationToken).Reply;

    private static void ExpectNothing(params TestProbe[] askers)
    {
        foreach (var asker in askers) asker.ExpectNoMsg(TimeSpan.FromMilliseconds(100), TestContext.Current.CancellationToken);
    }

    [Fact]
    public void What_queues_up_during_a_commit_is_the_next_batch()
    {
        var entity = Start();
        var first = Ask(entity, _harness.Send("r0"));
        _harness.Store.AwaitCommits(1);
        var others = Enumerable.Range(1, RelayLimits.MaxCommandsPerUnit + 1).Select(i => Ask(entity, _harness.Send($"r{i}"))).ToArray();
        ExpectNothing([first, others[0], others[^1]]);
        _harness.Store.Commit();
        Assert.IsType<ConversationReply.Done>(Reply(first));
        _harness.Store.AwaitCommits(1);
        Assert.Equal(RelayLimits.MaxCommandsPerUnit, _harness.Store.Pending.Outbox.Count);
        ExpectNothing(others[0]);
        _harness.Store.Commit();
        foreach (var asker in others[..^1]) Assert.IsType<ConversationReply.Done>(Reply(asker));
        _harness.Store.AwaitCommits(1);
        ExpectNothing(others[^1]);
        _harness.Store.Commit();
        Assert.IsType<ConversationReply.Done>(Reply(others[^1]));
        // Loaded once for all of it.
        Assert.Equal(1, _harness.Store.Loads);
    }

    [Fact]
    public void The_queue_has_a_bound()
    {
        var entity = Start();
        Ask(entity, _harness.Send("first"));
        _harness.Store.AwaitCommits(1);
        var queued = Enumerable.Range(0, RelayLimits.MaxMailboxDepth).Select(i => Ask(entity, _harness.Send($"r{i}"))).ToArray();
        Assert.Equal("mailbox", Assert.IsType<ConversationReply.Overloaded>(Reply(Ask(entity, _harness.Send("over")))).Bound);
        ExpectNothing([queued[0], queued[^1]]);
    }

    [Fact]
    public void A_repetition_of_what_waits_is_dropped()
    {
        var entity = Start();
        var command = _harness.Send("r1");
        var asker = Ask(entity, command);
        _harness.Store.AwaitCommits(1);
        for (int i = 0; i < 2 * RelayLimits.MaxMailboxDepth; i++) entity.Tell(command with { IsRepeated = true }, asker);
        var other = Ask(entity, _harness.Send("r2"));
        _harness.Store.Commit();
        Assert.IsType<ConversationReply.Done>(Reply(asker));
        _harness.Store.AwaitCommits(1);
        Assert.Single(_harness.Store.Pending.Outbox);
        _harness.Store.Commit();
        Assert.IsType<ConversationReply.Done>(Reply(other));
        ExpectNothing(asker);
        // Once the first is answered it is a repetition of what was done.
        entity.Tell(command with { IsRepeated = true }, asker);
        Assert.IsType<ConversationReply.Done>(Reply(asker));
    }

    [Fact]
    public void A_command_that_expires_while_the_state_is_loaded_has_no_effect()
    {
        _harness.Store.HoldLoads = new TaskCompletionSource();
        var entity = Start();
        // Not yet expired when it comes.
        var soon = _harness.Send("r1");
        _harness.Time.Advance(RelayLimits.CommandExpiry - TimeSpan.FromSeconds(1));
        var asker = Ask(entity, soon);
        Assert.True(SpinWait.SpinUntil(() => _harness.Store.Loads == 1, s_limit));
        var later = Ask(entity, _harness.Send("r2"));
        _harness.Time.Advance(TimeSpan.FromSeconds(1));
        _harness.Store.HoldLoads.SetResult();
        Assert.Equal("expired", Assert.IsType<ConversationReply.Unavailable>(Reply(asker)).Reason);
        _harness.Store.AwaitCommits(1);
        Assert.Single(_harness.Store.Pending.Outbox);
        _harness.Store.Commit();
        Assert.IsType<ConversationReply.Done>(Reply(later));
    }

    [Fact]
    public void After_a_failed_commit_the_state_is_loaded_again()
    {
        var entity = Start();
        var asker = Ask(entity, _harness.Send("r1"));
        _harness.Store.AwaitCommits(1);
        _harness.Store.Fail(new StoreException("Made to fail."));
        Assert.Equal("store", Assert.IsType<ConversationReply.Unavailable>(Reply(asker)).Reason);
        var again = Ask(entity, _harness.Send("r1"));
        _harness.Store.AwaitCommits(1);
        Assert.Equal(2, _harness.Store.Loads);
        _harness.Store.Commit();
        Assert.IsType<ConversationReply.Done>(Reply(again));
    }

    [Fact]
    public void After_a_refused_commit_the_state_is_loaded_again()
    {
        var entity = Start();
        var asker = Ask(entity, _harness.Send("r1"));
        _harness.Store.AwaitCommits(1);
        _harness.Store.Answer(CommitResult.Conflict.Instance);
        Assert.Equal("conflict", Assert.IsType<ConversationReply.Unavailable>(Reply(asker)).Reason);
        var again = Ask(entity, _harness.Send("r1"));
        _harness.Store.AwaitCommits(1);
        Assert.Equal(2, _harness.Store.Loads);
        _harness.Store.Commit();
        Assert.IsType<ConversationReply.Done>(Reply(again));
    }

    [Fact]
    public void A_fault_of_ours_is_answered_and_the_next_command_is_served()
    {
        var entity = Start();
        var asker = Ask(entity, _harness.Send("r1"));
        _harness.Store.AwaitCommits(1);
        _harness.Store.Fail(new InvalidOperationException("A bug."));
        Assert.Equal("fault", Assert.IsType<ConversationReply.Unavailable>(Reply(asker)).Reason);
        var next = Ask(entity, _harness.Send("r2"));
        _harness.Store.AwaitCommits(1);
        _harness.Store.Commit();
        Assert.IsType<ConversationReply.Done>(Reply(next));
    }

    [Fact]
    public void Who_is_fenced_off_stops_and_answers_nothing_more()
    {
        var lost = new ShardStanding(s_fence);
        var entity = Start(lost);
        Watch(entity);
        var asker = Ask(entity, _harness.Send("r1"));
        _harness.Store.AwaitCommits(1);
        Assert.Equal(s_fence, _harness.Store.Pending.Fence);
        var waiting = Ask(entity, _harness.Send("r2"));
        _harness.Store.Answer(CommitResult.Fenced.Instance);
        ExpectTerminated(entity, s_limit, cancellationToken: TestContext.Current.CancellationToken);
        Assert.True(lost.IsLost);
        ExpectNothing(asker, waiting);
    }

    [Fact]
    public void A_standing_that_was_lost_elsewhere_silences_what_is_under_way()
    {
        var lost = new ShardStanding(s_fence);
        var entity = Start(lost);
        Watch(entity);
        var asker = Ask(entity, _harness.Send("r1"));
        _harness.Store.AwaitCommits(1);
        lost.Lose();
        _harness.Store.Commit();
        ExpectTerminated(entity, s_limit, cancellationToken: TestContext.Current.CancellationToken);
        ExpectNothing(asker);
    }

    [Fact]
    public void A_hand_over_finishes_the_commit_under_way_and_answers_the_rest()
    {
        var entity = Start();
        Watch(entity);
        var first = Ask(entity, _harness.Send("r1"));
        _harness.Store.AwaitCommits(1);
        var queued = Ask(entity, _harness.Send("r2"));
        entity.Tell(Stop.HandOver);
        var late = Ask(entity, _harness.Send("r3"));
        Assert.Equal("moved", Assert.IsType<ConversationReply.Unavailable>(Reply(queued)).Reason);
        Assert.Equal("moved", Assert.IsType<ConversationReply.Unavailable>(Reply(late)).Reason);
        ExpectNothing(first);
        _harness.Store.Commit();
        Assert.IsType<ConversationReply.Done>(Reply(first));
        ExpectTerminated(entity, s_limit, cancellationToken: TestContext.Current.CancellationToken);
    }

    /// <summary>As a hand-over that takes too long stops it. The store seals the rows in its transaction, which may come later.</summary>
    [Fact]
    public async Task An_entity_stopped_during_a_commit_leaves_its_rows_whole_until_the_commit_has_ended()
    {
        var entity = Start();
        Watch(entity);
        var asker = Ask(entity, _harness.Send("r1"));
        _harness.Store.AwaitCommits(1);
        Sys.Stop(entity);
        ExpectTerminated(entity, s_limit, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal("moved", Assert.IsType<ConversationReply.Unavailable>(Reply(asker)).Reason);
        var row = Assert.Single(_harness.Store.Pending.Outbox);
        Assert.Equal(EntityHarness.Peer, ReadSealed(row)?.Peer);
        _harness.Store.Commit();
        await AwaitConditionAsync(() => Task.FromResult(ReadSealed(row) is null), s_limit,
            cancellationToken: TestContext.Current.CancellationToken);
    }

    private OutboxItem? ReadSealed(StreamRow row)
        => OutboxCodec.TryRead(1, _harness.Context.Turn.Sealer.TryOpen(SealedTable.Outbox, SealedOutbox.Row(row.Stream, 1), row.Seal(1)));

    [Fact]
    public void Passivation_finishes_what_has_queued_up()
    {
        var entity = Start();
        Watch(entity);
        var first = Ask(entity, _harness.Send("r1"));
        _harness.Store.AwaitCommits(1);
        var queued = Ask(entity, _harness.Send("r2"));
        entity.Tell(Stop.Passivation);
        _harness.Store.Commit();
        Assert.IsType<ConversationReply.Done>(Reply(first));
        _harness.Store.AwaitCommits(1);
        _harness.Store.Commit();
        Assert.IsType<ConversationReply.Done>(Reply(queued));
        ExpectTerminated(entity, s_limit, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(0, _harness.Context.Residents.Count);
    }

    [Fact]
    public void An_idle_entity_has_itself_passivated_when_it_is_told_to_rest_and_a_busy_one_does_not()
    {
        var entity = Start();
        var first = Ask(entity, _harness.Send("r1"));
        _harness.Store.AwaitCommits(1);
        entity.Tell(Rest.Instance);
        _harness.Store.Commit();
        Reply(first);
        ExpectNothing(_parent);
        entity.Tell(Rest.Instance);
        var passivate = _parent.ExpectMsg<Passivate>(s_limit, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(Stop.Passivation, passivate.StopMessage);
    }

    [Fact]
    public void What_holds_nothing_leaves_at_once()
    {
        var entity = Start();
        Assert.Equal(new ConversationReply.NotFound("conversation"), Reply(Ask(entity, _harness.Send("r1", peer: null))));
        _parent.ExpectMsg<Passivate>(s_limit, cancellationToken: TestContext.Current.CancellationToken);
    }

    [Fact]
    public void Beyond_the_bound_the_least_recently_used_rests()
    {
        var residents = _harness.Context.Residents;
        var probes = Enumerable.Range(0, EntityHarness.MaxResident + 1).Select(i => CreateTestProbe($"resident{i}")).ToArray();
        var idle = probes.Select(p => residents.Add(p)).ToArray();
        foreach (var resident in idle[..^1]) residents.Release(resident);
        residents.Use(idle[0]);
        residents.Release(idle[0]);
        residents.Release(idle[^1]);
        probes[1].ExpectMsg<Rest>(s_limit, cancellationToken: TestContext.Current.CancellationToken);
        ExpectNothing(probes[0], probes[^1]);
        _harness.Time.Advance(TimeSpan.FromMinutes(1));
        residents.Use(idle[0]);
        residents.Release(idle[0]);
        residents.RestIdle(TimeSpan.FromSeconds(30));
        probes[^1].ExpectMsg<Rest>(s_limit, cancellationToken: TestContext.Current.CancellationToken);
        ExpectNothing(probes[0]);
    }
}
