using Relay.Storage;

namespace Relay.Actors.Files;

/// <summary>What an operator decides about files. The same on every node of a cluster: the node that is asked applies its own.</summary>
public sealed record FileSettings
{
    public static FileSettings Default { get; } = new();

    /// <summary>Largest file, in bytes, up to <see cref="FileLimits.MaxFileBytes"/>: of ours, and of what peers offer.</summary>
    public long MaxFileBytes { get; init; } = FileLimits.MaxFileBytes;

    /// <summary>Life of a file from its creation or offer; files that are there keep theirs.</summary>
    public TimeSpan Life { get; init; } = FileLimits.Life;

    /// <summary>How many files and bytes an endpoint and a peer may have.</summary>
    public FileQuota Quota { get; init; } = FileQuota.Default;

    /// <summary>
    /// The base URL under which peers reach this server's <c>/files/</c>, without a slash at its end; null: files have no links, and bridges
    /// bring their blobs.
    /// </summary>
    public string? PublicUrl { get; init; }
}
