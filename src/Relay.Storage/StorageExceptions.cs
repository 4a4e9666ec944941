namespace Relay.Storage;

/// <summary>The store failed. It is unknown whether a write was committed, so the caller must read before it continues.</summary>
public sealed class StoreException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Relay refuses to start. The message is for the operator: it names the cause and what to do.</summary>
public sealed class RelayStartException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>True if nothing has to be mended: the same start may succeed once the database is back.</summary>
    public bool IsTemporary { get; init; }
}
