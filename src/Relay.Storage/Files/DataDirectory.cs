using System.Globalization;

namespace Relay.Storage.Files;

/// <summary>
/// The data directory, held by one process: the operating system's lock on `lock` goes with the process, however it ends.
/// </summary>
public sealed class DataDirectory : IDisposable
{
    private readonly FileStream _lock;

    private DataDirectory(string path, string? sealingKey, FileStream held)
    {
        Path = path;
        SealingKey = sealingKey is null ? System.IO.Path.Combine(path, "sealing.key") : System.IO.Path.GetFullPath(sealingKey);
        _lock = held;
    }

    public string Path { get; }

    public string Database => System.IO.Path.Combine(Path, "relay.db");

    /// <summary>In the directory, unless the operator keeps it apart.</summary>
    public string SealingKey { get; }

    /// <summary>Makes the directory (mode 0700) if it is absent, and takes its lock.</summary>
    /// <param name="sealingKey">The sealing key's file; null: `sealing.key` in the directory.</param>
    /// <exception cref="RelayStartException">Another process has it, or it cannot be made.</exception>
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
            throw new RelayStartException($"The data directory {path} cannot be made: {e.Message}", e);
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
            throw new RelayStartException($"The data directory {path} is in use by another Relay{Holder(path)}. Stop that one, or choose another directory. Nothing was changed.", e);
        }
    }

    // Beside the lock, not in it: a locked file cannot be read everywhere. It only makes a message better.
    private static string Pid(string path) => System.IO.Path.Combine(path, "pid");

    private static string Holder(string path)
    {
        try
        {
            return int.TryParse(File.ReadAllText(Pid(path)), CultureInfo.InvariantCulture, out int pid) ? string.Create(CultureInfo.InvariantCulture, $" (process {pid})") : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The refusal stands without it.
            return "";
        }
    }

    public void Dispose() => _lock.Dispose();
}
