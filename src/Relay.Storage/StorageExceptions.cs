namespace Relay.Storage;

/// <summary>The store failed: whether a write was done is not known, and the caller must read before it goes on.</summary>
public sealed class StoreException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Why Relay refuses to start.</summary>
public sealed class RelayStartException(string message, Exception? inner = null) : Exception(message, inner);
