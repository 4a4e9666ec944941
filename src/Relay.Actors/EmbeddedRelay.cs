using Microsoft.Extensions.Logging;
using Otr.Core;

namespace Relay.Actors;

/// <summary>CONTRACT STUB. One process, SQLite, in-process shards.</summary>
public sealed class EmbeddedRelay
{
    /// <summary>
    /// Opens (or makes) the data directory and starts the shards.
    /// </summary>
    /// <exception cref="RelayStartException">
    /// Another process holds the directory, the database is foreign, damaged or newer, or the sealing key is another
    /// one: the message says which file and what to do, and nothing was overwritten.
    /// </exception>
    public static Task<IRelay> OpenAsync(EmbeddedRelayOptions options, ILoggerFactory loggers, TimeProvider time, IRandomSource random, CancellationToken cancellation)
        => throw new NotImplementedException();
}

/// <param name="DataDirectory">Made with mode 0700 if absent; holds `relay.db`, `sealing.key` (0600) and `lock`.</param>
public sealed record EmbeddedRelayOptions(string DataDirectory)
{
    public int Shards { get; init; } = 16;
}

/// <summary>Why Relay refuses to start.</summary>
public sealed class RelayStartException(string message, Exception? inner = null) : Exception(message, inner);
