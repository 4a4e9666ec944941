using Relay.Actors;
using Relay.Actors.Conversations;
using Relay.Simulation.Tests.Engine;
using Relay.Simulation.Tests.Nodes;
using Relay.Simulation.Tests.Store;
using Relay.Storage;

namespace Relay.Simulation.Tests;

/// <summary>
/// A checker that finds nothing proves nothing: each of these breaks one thing on purpose, and the schedules have to find
/// that the invariant is violated which rests on it.
/// </summary>
public sealed class MutationTests
{
    private const int Seeds = 150;
    private const int SeedsOfRareSchedules = 600;
    private const int SeedsWithKeyExchange = 60;

    [Theory]
    [InlineData(StoreMutation.IgnoresVersion, Invariant.OneOwner)]
    [InlineData(StoreMutation.IgnoresFence, Invariant.OneOwner)]
    [InlineData(StoreMutation.LosesCommits, Invariant.ExactlyOnceInOrder)]
    [InlineData(StoreMutation.ForgetsSeenIds, Invariant.StoredIsTold)]
    [InlineData(StoreMutation.ForgetsSeenIds, Invariant.FirstAnswer)]
    [InlineData(StoreMutation.ForgetsState, Invariant.StateBeforeWire)]
    [InlineData(StoreMutation.LeavesGaps, Invariant.GapFreeStreams)]
    [InlineData(StoreMutation.AcknowledgesTooMuch, Invariant.GapFreeStreams)]
    [InlineData(StoreMutation.DamagesItems, Invariant.NoFault)]
    [InlineData(StoreMutation.IgnoresAcknowledgements, Invariant.OneEnd)]
    internal void A_broken_store_is_found_out(StoreMutation mutation, Invariant invariant)
        => Assert.NotNull(Simulation.Find(invariant, Seeds, new Mutations(mutation)));

    /// <summary>The first check that would see it looks away, so that the one behind it has to.</summary>
    [Theory]
    [InlineData(StoreMutation.ForgetsSeenIds, Invariant.ExactlyOnceInOrder, Invariant.FirstAnswer)]
    [InlineData(StoreMutation.ForgetsState, Invariant.OneTextPerCounter, Invariant.StateBeforeWire, Invariant.OneOwner)]
    [InlineData(StoreMutation.LosesConversations, Invariant.OneSession, Invariant.StateBeforeWire, Invariant.OneOwner, Invariant.FirstAnswer)]
    internal void A_broken_store_is_found_out_by_what_it_does_to_messages(StoreMutation mutation, Invariant invariant, params Invariant[] unwatched)
        => Assert.NotNull(Simulation.Find(invariant, Seeds, new Mutations(mutation), null, unwatched));

    [Theory]
    [InlineData(NodeMutation.AnswersBeforeCommit, Invariant.ExactlyOnceInOrder)]
    [InlineData(NodeMutation.KeepsTheCandidate, Invariant.FirstAnswer)]
    [InlineData(NodeMutation.StallsAfterATurn, Invariant.NothingInFlight)]
    [InlineData(NodeMutation.KeepsTheDeadAsOwners, Invariant.Liveness)]
    [InlineData(NodeMutation.IgnoresQueueBound, Invariant.Bounds)]
    internal void A_broken_node_is_found_out(NodeMutation mutation, Invariant invariant)
        => Assert.NotNull(Simulation.Find(invariant, Seeds, new Mutations(Node: mutation)));

    [Theory]
    [InlineData(NodeMutation.ForgetsHeldKeys, Invariant.HeldKeys)]
    internal void A_key_that_is_not_held_across_loads_is_found_out(NodeMutation mutation, Invariant invariant)
        => Assert.NotNull(Simulation.Find(invariant, SeedsWithKeyExchange, new Mutations(Node: mutation), WithHeldKeys));

    /// <summary>An id may be forgotten only once no copy of its command can come any more.</summary>
    [Fact]
    internal void Forgetting_an_id_younger_than_the_expiry_is_found_out()
        => Assert.NotNull(Simulation.Find(Invariant.ExactlyOnceInOrder, SeedsOfRareSchedules, new Mutations(Node: NodeMutation.ForgetsYoungIds), WithLateCopies));

    /// <summary>Between the arrival of a copy and its turn, the log may forget what the command has done.</summary>
    [Fact]
    internal void Checking_the_expiry_before_the_state_is_loaded_is_found_out()
        => Assert.NotNull(Simulation.Find(Invariant.ExactlyOnceInOrder, SeedsOfRareSchedules, new Mutations(Node: NodeMutation.ChecksExpiryOnArrival), WithLateCopies));

    /// <summary>
    /// A request waits at an owner that hangs. The next owner answers it and pushes it out of the log; then the first one
    /// goes on, with a clock that is behind, loads the newest state, finds no trace of the request, and commits onto the right
    /// version. Nothing but the shard's epoch keeps it from doing so.
    /// </summary>
    [Fact]
    internal void Without_the_fence_an_owner_that_hung_does_again_what_was_forgotten()
        => Assert.NotNull(Simulation.Find(Invariant.ExactlyOnceInOrder, SeedsOfRareSchedules, new Mutations(StoreMutation.IgnoresFence), WithHungOwners, Invariant.OneOwner));

    /// <summary>The same schedules with nothing broken: every invariant holds, also with clocks that are wrong by more than any expiry.</summary>
    [Fact]
    internal void The_same_schedules_with_nothing_broken_keep_every_invariant()
    {
        foreach (var profile in new[] { WithLateCopies, WithHungOwners }) Assert.Equal(Seeds, Simulation.RunAll(1, Seeds, profile).Complete);
        // A few are excused, because a fault made the key exchange begin anew.
        Assert.True(Simulation.RunAll(1, SeedsWithKeyExchange, WithHeldKeys).Complete > SeedsWithKeyExchange / 2);
    }

    /// <summary>Every invariant is among those above.</summary>
    [Fact]
    public void No_invariant_is_without_its_mutation()
    {
        var proved = typeof(MutationTests).GetMethods(System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic)
            .SelectMany(m => m.GetCustomAttributesData().Where(a => a.AttributeType == typeof(InlineDataAttribute)))
            .Select(a => ((IReadOnlyList<System.Reflection.CustomAttributeTypedArgument>)a.ConstructorArguments[0].Value!)[1].Value)
            .Select(v => (Invariant)v!).Distinct();
        Assert.Equal(Enum.GetValues<Invariant>(), proved.Order());
    }

    private static readonly Func<Profile, SimRandom, Profile> WithHeldKeys = static (profile, random) => profile with
    {
        BeginsWithKeyExchange = true, HoldsKeys = true, Messages = 2 + random.Next(4), SpanMs = 3000, FaultRate = 20, MaxResident = 1,
        MaxStreamItems = StorageLimits.MaxStreamItems, ExpiryMs = (int)RelayLimits.CommandExpiry.TotalMilliseconds, Log = RequestLogBounds.Default,
        Faults = Fault.Kill | Fault.Drain | Fault.SecondOwner | Fault.NetworkRepeats,
    };

    private static readonly Func<Profile, SimRandom, Profile> WithLateCopies = static (profile, random) => (profile with
    {
        BeginsWithKeyExchange = false, SpanMs = 8000, MaxBatch = 1, SkewMs = 0, FaultRate = 20, MaxStreamItems = 100,
        Faults = Fault.NetworkRepeats | (random.Chance(500) ? Fault.StoreIsSlow : Fault.Pause),
    }).WithShortMemory(random);

    private static readonly Func<Profile, SimRandom, Profile> WithHungOwners = static (profile, random) => (profile with
    {
        BeginsWithKeyExchange = false, SpanMs = 12_000, MaxBatch = 1, SkewMs = 6000, FaultRate = 20, MaxResident = 1, MaxStreamItems = 100,
        Faults = Fault.NetworkRepeats | Fault.Pause | Fault.SecondOwner,
    }).WithShortMemory(random);
}
