using Otr.Core;
using Relay.Actors.Backups;

namespace Relay.Actors.Tests.Backups;

/// <summary>A directory for backups, and the API keys of whoever is backed up.</summary>
internal sealed class BackupStage : IDisposable
{
    public const string Version = "1.2.3";

    public static readonly ArchiveKey.PublicKey To;
    public static readonly ArchiveKey.PrivateKey Opens;

    private readonly string _directory = Directory.CreateTempSubdirectory("relay-test-").FullName;

    static BackupStage()
    {
        var (privateKey, publicKey) = SealedFile.GenerateKeyPair(SystemRandom.Instance);
        (To, Opens) = (new ArchiveKey.PublicKey(publicKey), new ArchiveKey.PrivateKey(privateKey));
    }

    public string File(string name) => Path.Combine(_directory, name);

    public static StoreBackups Of(string dataDirectory, KeyList? keys = null, string? database = null, string? sealingKey = null)
        => new(new BackupStore(dataDirectory, sealingKey, database), keys ?? new KeyList(), Version, TimeProvider.System, SystemRandom.Instance);

    public async Task<string> BackUpAsync(string dataDirectory, string name = "backup", KeyList? keys = null)
    {
        await Of(dataDirectory, keys).BackUpAsync(File(name), To, default);
        return File(name);
    }

    public static Task<RestoreSummary> RestoreAsync(string file, string dataDirectory, bool replace = false, bool dryRun = false, KeyList? keys = null)
        => Of(dataDirectory, keys).RestoreAsync(file, Opens, new RestoreOptions(replace, dryRun), default);

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}

/// <summary>A list of API keys: words with commas between them.</summary>
internal sealed class KeyList : IApiKeyBackup
{
    public string? Words { get; set; }

    public string DocumentName => "api-keys";

    public byte[]? ReadFile() => Words is null ? null : System.Text.Encoding.ASCII.GetBytes(Words);

    public void WriteFile(byte[] list) => Words = System.Text.Encoding.ASCII.GetString(list);

    public byte[]? TryMerge(ReadOnlySpan<byte> list, byte[]? others)
    {
        var words = System.Text.Encoding.ASCII.GetString(list);
        if (words.Contains('!', StringComparison.Ordinal)) return null;
        return System.Text.Encoding.ASCII.GetBytes(others is null ? words : $"{words},{System.Text.Encoding.ASCII.GetString(others)}");
    }
}
