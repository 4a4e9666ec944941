using Relay.Simulation.Tests.Broker;
using Relay.Simulation.Tests.Store;

namespace Relay.Simulation.Tests;

/// <summary>A checker that finds nothing proves nothing: each of these breaks one thing on purpose, and the schedules have to find it.</summary>
public sealed class MutationTests
{
    private const int Seeds = 200;

    [Theory]
    [InlineData(StoreMutation.IgnoresVersion)]
    [InlineData(StoreMutation.IgnoresFence)]
    [InlineData(StoreMutation.ForgetsSeenIds)]
    [InlineData(StoreMutation.LeavesGaps)]
    [InlineData(StoreMutation.ForgetsState)]
    [InlineData(StoreMutation.AcknowledgesTooMuch)]
    [InlineData(StoreMutation.LosesCommits)]
    internal void A_broken_store_is_found_out(StoreMutation mutation)
    {
        var found = Simulation.Find(Seeds, mutation, BrokerMutation.None);
        Console.WriteLine($"{mutation} {found}");
        Assert.NotNull(found);
    }

    [Theory]
    [InlineData(BrokerMutation.NeverSettles)]
    [InlineData(BrokerMutation.AnswersAnew)]
    internal void A_broken_broker_is_found_out(BrokerMutation mutation)
    {
        var found = Simulation.Find(Seeds, StoreMutation.None, mutation);
        Console.WriteLine($"{mutation} {found}");
        Assert.NotNull(found);
    }
}
