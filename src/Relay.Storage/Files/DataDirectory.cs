using System.Globalization;

namespace Relay.Storage.Files;

/// <summary>
/// The data directory of a server. One process at a time uses it: it holds an exclusive lock on the file `lock`, which the operating
/// system releases when the process ends, however it ends.
/// </summary>
public sealed class DataDirectory : IDisposable
{
    /// <summary>The database's name in the directory.</summary>
    public const string DatabaseName = "relay.db";

    private readonly FileStream _lock;

    private DataDirectory(string path, string? sealingKey, FileStream held)
    {
        Path = path;
        SealingKey = sealingKey is null ? System.IO.Path.Combine(path, "sealing.key") : System.IO.Path.GetFullPath(sealingKey);
        _lock = held;
    }

    public string Path { get; }

    public string Database => System.IO.Path.Combine(Path, DatabaseName);

    /// <summary>Path of the sealing key, which an operator may keep outside the directory.</summary>
    public string SealingKey { get; }

    /// <summary>Creates the directory (mode 0700) if it does not exist, and takes its lock.</summary>
    /// <param name="sealingKey">Path of the sealing key; null: `sealing.key` in the directory.</param>
    /// <exception cref="RelayStartException">Another process uses the directory, or it cannot be created.</exception>
    public static DataDirectory Open(string path, string? sealingKey)
    {
        path = System.IO.Path.GetFullPath(path);
        var file = System.IO.Path.Combine(path, "lock");
        try
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
            else Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RelayStartException($"The data directory {path} cannot be created: {e.Message}", e);
        }
        try
        {
            var held = new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            File.WriteAllText(Pid(path), Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
            return new DataDirectory(path, sealingKey, held);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new RelayStartException($"{file} cannot be opened: {e.Message}", e);
        }
        catch (IOException e)
        {
            throw new RelayStartException($"The data directory {path} is in use by another Relay{Holder(path)}. "
                + "Stop that one, or choose another directory. Nothing was changed.", e);
        }
    }

    // The process id only improves an error message. It is not in the lock file, because some systems do not let a locked file be read.
    private static string Pid(string path) => System.IO.Path.Combine(path, "pid");

    private static string Holder(string path)
    {
        try
        {
            return int.TryParse(File.ReadAllText(Pid(path)), CultureInfo.InvariantCulture, out int pid)
                ? string.Create(CultureInfo.InvariantCulture, $" (process {pid})") : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The message goes without the process id.
            return "";
        }
    }

    public void Dispose() => _lock.Dispose();
}
