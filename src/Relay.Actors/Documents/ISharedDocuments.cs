using Relay.Storage;

namespace Relay.Actors;

/// <summary>
/// Small documents in the shared store, sealed under their name and version, written by compare-and-swap. The store can
/// return an older version, but cannot forge one: readers remember the highest version that they have seen.
/// </summary>
public interface ISharedDocuments
{
    /// <summary>The current document; null if there is none.</summary>
    /// <exception cref="StoreException">The store does not answer.</exception>
    /// <exception cref="DamagedDocumentException">It does not open: altered, or sealed with another key.</exception>
    ValueTask<SharedDocument?> ReadAsync(string name, CancellationToken cancellation);

    /// <summary>The current version; 0 if there is none. Not authenticated: the version is outside the seal.</summary>
    /// <exception cref="StoreException">The store does not answer.</exception>
    ValueTask<ulong> VersionAsync(string name, CancellationToken cancellation);

    /// <summary>Writes the version after <paramref name="expectedVersion"/>; 0: there is none yet.</summary>
    /// <returns>False if another version is stored: nothing was written.</returns>
    /// <exception cref="StoreException">It is not known whether it was written.</exception>
    ValueTask<bool> WriteAsync(string name, ulong expectedVersion, ReadOnlyMemory<byte> clear, CancellationToken cancellation);
}

/// <param name="Version">From 1, one more with each write.</param>
/// <param name="Clear">The reader wipes it if it is secret.</param>
public sealed record SharedDocument(ulong Version, byte[] Clear)
{
    public override string ToString() => $"SharedDocument {{ {Version} }}";
}

/// <summary>A shared document whose seal fails.</summary>
public sealed class DamagedDocumentException(string name)
    : Exception($"The shared document '{name}' does not open: it was altered, or sealed with another key.");
