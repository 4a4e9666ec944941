using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit;
using Relay.Actors.Conversations;
using Relay.Actors.Telemetry;
using Relay.Actors.Tests.Harness;
using Relay.Storage.Sealing;

namespace Relay.Actors.Tests.Conversations;

/// <summary>The region of a single process, and the client in front of any region.</summary>
public sealed class LocalConversationRegionTests : TestKit
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    private readonly EntityHarness _harness = new();
    private readonly KeyedIds _ids = new(new byte[KeyedIds.KeySize]);
    private readonly RelayTelemetry _telemetry = new();
    private readonly Admission _admission = new();

    public LocalConversationRegionTests() : base(EntityHarness.Settings) { }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (!disposing) return;
        _harness.Dispose();
        _ids.Dispose();
        _telemetry.Dispose();
    }

    private IActorRef Region(TimeSpan? passivateAfter = null)
        => Sys.ActorOf(LocalConversationRegion.Props(_harness.Context, passivateAfter ?? TimeSpan.FromHours(1)), "conversation");

    private ConversationClient Client(IActorRef region) => new(Sys, region, _ids, _admission, _telemetry, _harness.Time);

    private Task<ConversationReply> AskAsync(ConversationClient client, string requestId, string peer = EntityHarness.Peer)
    {
        var address = new ConversationAddress.ByPeer(EntityHarness.Endpoint, peer);
        return client.AskAsync(address, new Command.SendText(requestId, "x"u8.ToArray()), default).AsTask();
    }

    [Fact]
    public async Task What_comes_while_an_entity_stops_is_kept_for_its_successor()
    {
        var region = Region();
        var client = Client(region);
        var first = AskAsync(client, "r1");
        _harness.Store.AwaitCommits(1);
        var entity = await Entity();
        // As if it had asked to be passivated just before the command came: it stops once its commit is done.
        region.Tell(new Akka.Cluster.Sharding.Passivate(Stop.Passivation), entity);
        var kept = AskAsync(client, "r2");
        _harness.Store.Commit();
        Assert.IsType<ConversationReply.Done>(await first.WaitAsync(s_limit));
        _harness.Store.AwaitCommits(1);
        Assert.Equal(1UL, _harness.Store.Pending.ExpectedVersion);
        Assert.Equal(2, _harness.Store.Loads);
        _harness.Store.Commit();
        Assert.IsType<ConversationReply.Done>(await kept.WaitAsync(s_limit));
        Assert.NotEqual(entity, await Entity());
    }

    [Fact]
    public async Task Nobody_else_has_an_entity_stopped()
    {
        var region = Region();
        var client = Client(region);
        var first = AskAsync(client, "r1");
        _harness.Store.AwaitCommits(1);
        region.Tell(new Akka.Cluster.Sharding.Passivate(PoisonPill.Instance), CreateTestProbe("somebody"));
        // Behind it in the region's mailbox, and in the same entity's.
        var second = AskAsync(client, "r2");
        _harness.Store.Commit();
        Assert.IsType<ConversationReply.Done>(await first.WaitAsync(s_limit));
        _harness.Store.AwaitCommits(1);
        _harness.Store.Commit();
        Assert.IsType<ConversationReply.Done>(await second.WaitAsync(s_limit));
        Assert.Equal((1, 1), (_harness.Store.Loads, _harness.Context.Residents.Count));
    }

    [Fact]
    public async Task Idle_conversations_leave_after_a_time()
    {
        var client = Client(Region(TimeSpan.FromMilliseconds(40)));
        var asked = AskAsync(client, "r1");
        _harness.Store.AwaitCommits(1);
        _harness.Store.Commit();
        await asked.WaitAsync(s_limit);
        await Task.Delay(100, TestContext.Current.CancellationToken);
        Assert.Equal(1, _harness.Context.Residents.Count);
        _harness.Time.Advance(TimeSpan.FromMilliseconds(40));
        Assert.True(SpinWait.SpinUntil(() => _harness.Context.Residents.Count == 0, s_limit));
    }

    [Fact]
    public async Task A_hand_over_ends_all_entities_and_then_the_region()
    {
        var region = Region();
        var client = Client(region);
        var first = AskAsync(client, "r1");
        _harness.Store.AwaitCommits(1);
        var stopping = region.GracefulStop(s_limit, Stop.HandOver);
        var asker = CreateTestProbe();
        region.Tell(_harness.Send("late"), asker);
        var late = asker.ExpectMsg<ConversationAnswer>(s_limit, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal("moved", Assert.IsType<ConversationReply.Unavailable>(late.Reply).Reason);
        Assert.False(stopping.IsCompleted);
        _harness.Store.Commit();
        Assert.IsType<ConversationReply.Done>(await first.WaitAsync(s_limit));
        Assert.True(await stopping);
        Assert.Equal(0, _harness.Context.Residents.Count);
    }

    [Fact]
    public async Task Without_an_answer_the_same_command_is_sent_again_until_it_expires()
    {
        var region = CreateTestProbe("region");
        var asked = AskAsync(Client(region), "r1");
        var first = Next(region);
        Assert.False(first.IsRepeated);
        var asker = region.LastSender;
        for (int i = 0; i < 3; i++)
        {
            await AdvanceAsync(RelayLimits.AskAgainAfter);
            Assert.Equal(first with { IsRepeated = true }, Next(region));
            Assert.Equal(asker, region.LastSender);
        }
        await AdvanceAsync(RelayLimits.CommandExpiry);
        Assert.Equal(new ConversationReply.Unavailable("slow", RelayLimits.UnavailableRetryAfter), await asked.WaitAsync(s_limit));
        await AdvanceAsync(RelayLimits.AskAgainAfter);
        region.ExpectNoMsg(TimeSpan.FromMilliseconds(100), TestContext.Current.CancellationToken);
        // What may still have an effect counts as in flight, but not for ever.
        Assert.Equal(1, _admission.Count);
        await AdvanceAsync(RelayLimits.AnswerGrace);
        Assert.True(SpinWait.SpinUntil(() => _admission.Count == 0, s_limit));
    }

    [Fact]
    public async Task An_answer_ends_the_asking()
    {
        var region = CreateTestProbe("region");
        var asked = AskAsync(Client(region), "r1");
        var command = Next(region);
        var done = new ConversationReply.Done(command.Key.ConversationId, Otr.Core.MessageState.Plaintext, null);
        region.Reply(new ConversationAnswer(command.Key, "r1", done));
        Assert.Equal(done, await asked.WaitAsync(s_limit));
        Assert.Equal(0, _admission.Count);
    }

    [Theory]
    [InlineData("moved")]
    [InlineData("another request")]
    [InlineData("another conversation")]
    public async Task What_is_no_answer_to_it_is_asked_again(string what)
    {
        var region = CreateTestProbe("region");
        var asked = AskAsync(Client(region), "r1");
        var command = Next(region);
        var done = new ConversationReply.Done("of somebody", Otr.Core.MessageState.Plaintext, null);
        region.Reply(what switch
        {
            "moved" => new ConversationAnswer(command.Key, "r1", ConversationTurn.Unavailable(ConversationReply.Moved)),
            "another request" => new ConversationAnswer(command.Key, "r2", done),
            _ => new ConversationAnswer(_harness.KeyOf("somebody"), "r1", done),
        });
        await AdvanceAsync(RelayLimits.AskAgainAfter);
        Assert.Equal(command, Next(region));
        Assert.False(asked.IsCompleted);
        var own = done with { ConversationId = command.Key.ConversationId };
        region.Reply(new ConversationAnswer(command.Key, "r1", own));
        Assert.Equal(own, await asked.WaitAsync(s_limit));
    }

    [Fact]
    public void Conversations_are_spread_over_the_shards_and_found_by_their_ids()
    {
        var extractor = new ConversationMessageExtractor(16);
        var keys = Enumerable.Range(0, 400).Select(i => _harness.KeyOf($"peer{i}")).ToArray();
        Assert.All(keys, k => Assert.Equal(k, ConversationKey.OfEntity(extractor.EntityId(new Wake(k)))));
        Assert.Equal(16, keys.Select(k => extractor.ShardId(k.EntityId)).Distinct().Count());
        // Another endpoint's conversation of the same id is another entity.
        Assert.NotEqual(keys[0].EntityId, (keys[0] with { EndpointId = "other" }).EntityId);
    }

    private static ConversationCommand Next(TestProbe region)
        => region.ExpectMsg<ConversationCommand>(s_limit, cancellationToken: TestContext.Current.CancellationToken);

    /// <summary>Once whoever waits has set its timer.</summary>
    private async Task AdvanceAsync(TimeSpan by)
    {
        await Task.Delay(50, TestContext.Current.CancellationToken);
        _harness.Time.Advance(by);
    }

    private async Task<IActorRef> Entity()
        => await Sys.ActorSelection($"/user/conversation/{Uri.EscapeDataString(_harness.Key.EntityId)}").ResolveOne(s_limit);
}
