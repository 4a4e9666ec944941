using Akka.Actor;
using Microsoft.Extensions.Logging;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Epochs;

/// <summary>What a node needs to begin and end sealing epochs.</summary>
internal sealed record EpochParts(EpochKeyFile File, IEpochRegister Register, IResealStore Store, EpochTimes Times) : IAsyncDisposable
{
    /// <summary>Follows the epochs of a cluster; null: there is one process.</summary>
    public EpochWatch? Watch { get; init; }

    public Props Props(Sealer sealer, RelayTelemetry telemetry, TimeProvider time, ILogger log) => EpochKeeper.Props(
        new EpochRotation(File, Register, Store, sealer, telemetry.ObserveEpochs(time), Times, time, log), Times.Look, time, log);

    /// <summary>For a node that has not come up; otherwise the node disposes of what it was given.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Watch is not null) await Watch.DisposeAsync().ConfigureAwait(false);
        File.Dispose();
    }
}
