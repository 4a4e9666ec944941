using Akka.Actor;
using Microsoft.Extensions.Logging;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Epochs;

/// <summary>What a node needs to begin and end sealing epochs.</summary>
internal sealed record EpochParts(EpochKeyFile File, IEpochRegister Register, IResealStore Store, EpochTimes Times)
{
    public Props Props(Sealer sealer, RelayTelemetry telemetry, TimeProvider time, ILogger log) => EpochKeeper.Props(
        new EpochRotation(File, Register, Store, sealer, telemetry.ObserveEpochs(time), Times, time, log), Times.Look, time, log);
}
