namespace Relay.Engines;

/// <summary>PostgreSQL cannot be started or has failed. The message says why and what to do.</summary>
public sealed class EngineException(string message, Exception? inner = null) : Exception(message, inner);
