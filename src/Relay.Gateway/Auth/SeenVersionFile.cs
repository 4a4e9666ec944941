using System.Globalization;
using System.Text;
using Relay.Actors;
using Relay.Storage;

namespace Relay.Gateway.Auth;

/// <summary>
/// Persists the highest version of the shared keys that this node has read, in <c>api-keys.seen</c> in its data directory: a
/// rollback of the keys is detected after a restart too. The file contains no secret.
/// </summary>
internal sealed class SeenVersionFile
{
    public const string FileName = "api-keys.seen";

    private SeenVersionFile(string path, ulong version)
    {
        Path = path;
        Version = version;
    }

    public string Path { get; }

    public ulong Version { get; private set; }

    /// <exception cref="RelayStartException">The file exists but does not contain a version.</exception>
    public static SeenVersionFile Open(string dataDirectory)
    {
        var path = System.IO.Path.Combine(dataDirectory, FileName);
        if (!File.Exists(path)) return new SeenVersionFile(path, 0);
        return ulong.TryParse(File.ReadAllText(path).AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? new SeenVersionFile(path, version)
            : throw new RelayStartException($"{path} does not contain a version of the API keys. Remove it if you know why: "
                + "this node then accepts the keys that are in the database.");
    }

    public void Raise(ulong version)
    {
        if (version <= Version) return;
        PrivateFile.Write(Path, Encoding.ASCII.GetBytes(version.ToString(CultureInfo.InvariantCulture) + "\n"));
        Version = version;
    }
}
