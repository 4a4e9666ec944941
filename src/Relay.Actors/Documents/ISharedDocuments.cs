using Relay.Storage;

namespace Relay.Actors;

/// <summary>
/// Small documents in the shared store, sealed under their name and version, written by compare-and-swap. The store can
/// put an older version back, but not make one up: whoever reads remembers the highest version it has seen.
/// </summary>
public interface ISharedDocuments
{
    /// <summary>The document as it stands; null if there is none.</summary>
    /// <exception cref="StoreException">The store does not answer.</exception>
    /// <exception cref="DamagedDocumentException">It does not open: altered, or sealed with another key.</exception>
    ValueTask<SharedDocument?> ReadAsync(string name, CancellationToken cancellation);

    /// <summary>The version of the document as it stands; 0 if there is none. It is the store's word, which no seal holds.</summary>
    /// <exception cref="StoreException">The store does not answer.</exception>
    ValueTask<ulong> VersionAsync(string name, CancellationToken cancellation);

    /// <summary>Writes the version after <paramref name="expectedVersion"/>; 0: there is none yet.</summary>
    /// <returns>False if another version is stored: nothing was written.</returns>
    /// <exception cref="StoreException">Not known whether it was written.</exception>
    ValueTask<bool> WriteAsync(string name, ulong expectedVersion, ReadOnlyMemory<byte> clear, CancellationToken cancellation);
}

/// <param name="Version">From 1, one more with each write.</param>
/// <param name="Clear">To be wiped by who reads it, if it is secret.</param>
public sealed record SharedDocument(ulong Version, byte[] Clear)
{
    public override string ToString() => $"SharedDocument {{ {Version} }}";
}

/// <summary>A shared document whose seal fails.</summary>
public sealed class DamagedDocumentException(string name)
    : Exception($"The shared document '{name}' does not open: it was altered, or sealed with another key.");
