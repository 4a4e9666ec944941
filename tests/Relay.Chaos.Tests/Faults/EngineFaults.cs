using System.Globalization;

namespace Relay.Chaos.Tests.Faults;

/// <summary>SIGKILL for the broker, and a new process over its data.</summary>
internal sealed class KilledBroker : Fault
{
    public override string Name => "kill -9 of the broker";

    public override Part Strikes => Part.Broker;

    public override async Task<string> StrikeAsync(ChaosCluster cluster, Random random, CancellationToken cancellation)
    {
        await cluster.Processes.Broker.KillAsync();
        var gone = Between(random, 0, 2);
        await Task.Delay(gone, cancellation);
        await cluster.Processes.Broker.StartAsync(cancellation);
        return string.Create(CultureInfo.InvariantCulture, $"gone for {gone.TotalSeconds:0.0} s and its start");
    }
}

/// <summary>An orderly restart of the broker.</summary>
internal sealed class RestartedBroker : Fault
{
    public override string Name => "restart of the broker";

    public override Part Strikes => Part.Broker;

    public override async Task<string> StrikeAsync(ChaosCluster cluster, Random random, CancellationToken cancellation)
    {
        await cluster.Processes.Broker.RestartAsync(cancellation);
        return "in order";
    }
}

/// <summary>SIGKILL for the database's processes, and a recovery from its log.</summary>
internal sealed class KilledDatabase : Fault
{
    public override string Name => "kill -9 of the database";

    public override Part Strikes => Part.Database;

    public override async Task<string> StrikeAsync(ChaosCluster cluster, Random random, CancellationToken cancellation)
    {
        await cluster.Processes.Database.KillAsync(cancellation);
        var gone = Between(random, 0, 3);
        await Task.Delay(gone, cancellation);
        await cluster.Processes.Database.StartAgainAsync(cancellation);
        return string.Create(CultureInfo.InvariantCulture, $"gone for {gone.TotalSeconds:0.0} s and its recovery");
    }
}

/// <summary>An orderly restart of the database; its sessions are cut.</summary>
internal sealed class RestartedDatabase : Fault
{
    public override string Name => "restart of the database";

    public override Part Strikes => Part.Database;

    public override async Task<string> StrikeAsync(ChaosCluster cluster, Random random, CancellationToken cancellation)
    {
        await cluster.Processes.Database.RestartAsync(cancellation: cancellation);
        return "in order";
    }
}
