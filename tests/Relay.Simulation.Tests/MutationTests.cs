using Relay.Simulation.Tests.Broker;
using Relay.Simulation.Tests.Store;

namespace Relay.Simulation.Tests;

/// <summary>
/// A checker that finds nothing proves nothing: each of these breaks one thing on purpose, and the schedules have to find
/// that the invariant is violated which rests on it.
/// </summary>
public sealed class MutationTests
{
    private const int Seeds = 150;

    [Theory]
    [InlineData(StoreMutation.IgnoresVersion, Invariant.OneOwner)]
    [InlineData(StoreMutation.IgnoresFence, Invariant.OneOwner)]
    [InlineData(StoreMutation.LosesCommits, Invariant.ExactlyOnceInOrder)]
    [InlineData(StoreMutation.ForgetsSeenIds, Invariant.StoredIsTold)]
    [InlineData(StoreMutation.ForgetsState, Invariant.StateBeforeWire)]
    [InlineData(StoreMutation.LeavesGaps, Invariant.GapFreeStreams)]
    [InlineData(StoreMutation.AcknowledgesTooMuch, Invariant.GapFreeStreams)]
    [InlineData(StoreMutation.DamagesItems, Invariant.NoFault)]
    internal void A_broken_store_is_found_out(StoreMutation mutation, Invariant invariant)
        => Assert.NotNull(Simulation.Find(invariant, Seeds, mutation, BrokerMutation.None));

    /// <summary>The first check that would see it looks away, so that the one behind it has to.</summary>
    [Theory]
    [InlineData(StoreMutation.ForgetsSeenIds, Invariant.ExactlyOnceInOrder, Invariant.FirstAnswer)]
    [InlineData(StoreMutation.ForgetsState, Invariant.OneTextPerCounter, Invariant.StateBeforeWire, Invariant.OneOwner)]
    [InlineData(StoreMutation.LosesConversations, Invariant.OneSession, Invariant.StateBeforeWire, Invariant.OneOwner, Invariant.FirstAnswer)]
    internal void A_broken_store_is_found_out_by_what_it_does_to_messages(StoreMutation mutation, Invariant invariant, params Invariant[] unwatched)
        => Assert.NotNull(Simulation.Find(invariant, Seeds, mutation, BrokerMutation.None, unwatched));

    [Theory]
    [InlineData(BrokerMutation.AnswersAnew, Invariant.FirstAnswer)]
    [InlineData(BrokerMutation.LosesSettlements, Invariant.NothingInFlight)]
    [InlineData(BrokerMutation.KeepsTheDeadInLine, Invariant.Liveness)]
    [InlineData(BrokerMutation.IgnoresPrefetch, Invariant.Bounds)]
    internal void A_broken_broker_is_found_out(BrokerMutation mutation, Invariant invariant)
        => Assert.NotNull(Simulation.Find(invariant, Seeds, StoreMutation.None, mutation));

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
}
