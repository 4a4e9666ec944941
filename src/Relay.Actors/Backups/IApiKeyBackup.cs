namespace Relay.Actors.Backups;

/// <summary>How the API keys of a store are kept, which the actors do not know.</summary>
public interface IApiKeyBackup
{
    /// <summary>The name of the document that a cluster keeps them in.</summary>
    string DocumentName { get; }

    /// <summary>The list of a single server, which is a file in its data directory; null if there is none.</summary>
    /// <exception cref="Relay.Storage.RelayStartException">The file cannot be read.</exception>
    byte[]? ReadFile();

    /// <summary>Replaces the list of a single server.</summary>
    /// <exception cref="IOException"/>
    /// <exception cref="UnauthorizedAccessException"/>
    void WriteFile(byte[] list);

    /// <summary>Checks a list of a backup, and adds the keys of another list that it lacks.</summary>
    /// <param name="others">Null: none.</param>
    /// <returns>Null if it is not a list of API keys.</returns>
    byte[]? TryMerge(ReadOnlySpan<byte> list, byte[]? others);
}
