namespace Relay.Actors.Backups;

/// <summary>The parts of a backup, in their order in the file. The numbers are the format's.</summary>
internal enum BackupPart : byte
{
    /// <summary>When and by whom it was made, and the key of the store's keyed ids.</summary>
    About = 1,
    /// <summary>The list of API keys; at most one.</summary>
    ApiKeys = 2,
    Endpoint = 3,
    Stream = 4,
    Identities = 5,
    /// <summary>How many there are of each, and the digest of all before it.</summary>
    End = 255,
}

/// <summary>What a backup holds, or what was restored of it.</summary>
public sealed record BackupSummary
{
    /// <summary>When it was made.</summary>
    public required DateTimeOffset Made { get; init; }
    /// <summary>The version of the program that made it.</summary>
    public required string Version { get; init; }
    public long Endpoints { get; init; }
    /// <summary>Streams whose positions it holds.</summary>
    public long Streams { get; init; }
    /// <summary>Peers with their keys, trust and notes.</summary>
    public long Identities { get; init; }
    /// <summary>Whether there is a list of API keys in it.</summary>
    public bool HasApiKeys { get; init; }
    /// <summary>Rows that were left out when it was made, because they did not open.</summary>
    public long LeftOut { get; init; }
}

/// <summary>How far a backup or a restore is.</summary>
/// <param name="Step">What is being done.</param>
/// <param name="Rows">Endpoints and peers so far in this step.</param>
public readonly record struct BackupProgress(BackupStep Step, long Rows);

public enum BackupStep
{
    /// <summary>The store is read, and the file written.</summary>
    Writing,
    /// <summary>The file is read to its end, before anything is written.</summary>
    Checking,
    /// <summary>The store is written.</summary>
    Restoring,
}

/// <summary>What is wrong with a file, or with the store for it.</summary>
public enum BackupFault
{
    /// <summary>The file is no backup.</summary>
    NotABackup,
    /// <summary>It is a backup in a format, or with rows, that this program does not know.</summary>
    OtherFormat,
    /// <summary>It is sealed to a passphrase and a key was given, or the other way round.</summary>
    OtherSeal,
    /// <summary>It does not open from its beginning: another passphrase or key, or its head was changed.</summary>
    NotOpened,
    /// <summary>It opens at its beginning, and was changed or cut short behind it.</summary>
    Changed,
    /// <summary>It opens, and does not hold what a backup holds.</summary>
    Malformed,
    /// <summary>The file cannot be written.</summary>
    NotWritten,
    /// <summary>The store does not open with the sealing key.</summary>
    OtherSealingKey,
    /// <summary>The store is not empty.</summary>
    NotEmpty,
}

/// <summary>A backup cannot be made or restored; nothing was changed. The message is for the operator and says what to do.</summary>
public sealed class BackupException(BackupFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public BackupFault Fault => fault;
}
