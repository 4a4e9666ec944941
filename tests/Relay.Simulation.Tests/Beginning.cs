using Microsoft.Extensions.Logging.Abstractions;
using Otr.Core;
using Relay.Actors;
using Relay.Actors.Conversations;
using Relay.Actors.Endpoints;
using Relay.Actors.Telemetry;
using Relay.Simulation.Tests.Engine;
using Relay.Simulation.Tests.Nodes;
using Relay.Simulation.Tests.Store;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Simulation.Tests;

/// <summary>Where schedules begin: made once, copied for each. A key exchange costs a hundred times what a message does.</summary>
/// <param name="Contacts">Their conversations; empty before the first message.</param>
internal sealed record Beginning(SimStore Store, IReadOnlyList<byte[]> Contacts, long NowMs)
{
    public const string Endpoint = "bot";

    private static readonly Lazy<Beginning> Fresh = new(() => MakeFresh(new EndpointSettings())), Standing = new(MakeStanding),
        Holding = new(() => MakeFresh(new EndpointSettings { KeyChange = KeyChangeAction.Hold }));

    /// <summary>An endpoint that nobody has spoken to.</summary>
    public static Beginning WithEndpoint => Fresh.Value;

    /// <summary>The same, and it holds changed keys.</summary>
    public static Beginning WithHoldingEndpoint => Holding.Value;

    /// <summary>Sessions stand with all contacts.</summary>
    public static Beginning WithSessions => Standing.Value;

    private static Beginning MakeFresh(EndpointSettings settings)
    {
        var store = new SimStore();
        var random = new SimRandom(1);
        using var key = new SealingKey(Cluster.SealingKey);
        using var sealer = new Sealer(key, random.Fill);
        using var ids = new KeyedIds(Cluster.IdKey);
        using var telemetry = new RelayTelemetry();
        var time = new SimTime(new Schedule(1, false), new SimProcess("endpoint"), 0);
        var directory = new EndpointDirectory(new DirectStoreClient(store), new BoundedReads(1, time), sealer, ids, time, random, new ComputeGate(1), telemetry, NullLogger.Instance,
            new EndpointChangeSignals((_, _) => { }));
        var made = directory.CreateAsync(new CreateEndpoint("create", Endpoint, "sim", "bot@example.net", settings, TestKeys.Copy(0)), default);
        if (!made.IsCompletedSuccessfully || made.Result is not CreateEndpointReply.Created) throw new InvalidOperationException("The endpoint could not be made.");
        return new Beginning(store, [], 0);
    }

    private static Beginning MakeStanding()
    {
        using var world = new World(1, static (_, _) => Profile.Quiet);
        world.Run();
        return world.Ending();
    }
}
