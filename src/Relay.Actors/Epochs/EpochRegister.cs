using Relay.Storage.Sealing;

namespace Relay.Actors.Epochs;

/// <summary>What all processes of a store agree on: which epoch values are sealed in, and which is the oldest one that is opened.</summary>
internal interface IEpochRegister
{
    /// <exception cref="Relay.Storage.StoreException"/>
    ValueTask<EpochKeyFile.Position> ReadAsync(CancellationToken cancellation);

    /// <summary>Replaces what was read.</summary>
    /// <returns>False if it has changed since, or it is not known whether it has.</returns>
    /// <exception cref="Relay.Storage.StoreException"/>
    ValueTask<bool> WriteAsync(EpochKeyFile.Position read, EpochKeyFile.Position next, CancellationToken cancellation);
}

/// <summary>One process: its own file says it all.</summary>
internal sealed class FileEpochRegister(EpochKeyFile file) : IEpochRegister
{
    public ValueTask<EpochKeyFile.Position> ReadAsync(CancellationToken cancellation) => ValueTask.FromResult(file.Now);

    public ValueTask<bool> WriteAsync(EpochKeyFile.Position read, EpochKeyFile.Position next, CancellationToken cancellation)
    {
        file.Advance(next.Current, next.BegunMs);
        file.Destroy(next.Floor);
        return ValueTask.FromResult(true);
    }
}
