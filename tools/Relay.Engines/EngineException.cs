namespace Relay.Engines;

/// <summary>An engine cannot be started or has failed: the message says which, why, and what to do.</summary>
public sealed class EngineException(string message, Exception? inner = null) : Exception(message, inner);
