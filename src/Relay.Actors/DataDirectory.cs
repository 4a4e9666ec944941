using System.Globalization;
using System.Text;

namespace Relay.Actors;

/// <summary>
/// The data directory, held by one process: the operating system's lock on `lock` goes with the process, however it ends.
/// </summary>
internal sealed class DataDirectory : IDisposable
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
            held.SetLength(0);
            held.Write(Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n"));
            held.Flush();
            return new DataDirectory(path, sealingKey, held);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new RelayStartException($"{file} cannot be opened: {e.Message}", e);
        }
        catch (IOException e)
        {
            throw new RelayStartException($"The data directory {path} is in use by another Relay{Holder(file)}. Stop that one, or choose another directory. Nothing was changed.", e);
        }
    }

    private static string Holder(string file)
    {
        try
        {
            using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            return int.TryParse(reader.ReadLine(), CultureInfo.InvariantCulture, out int pid) ? string.Create(CultureInfo.InvariantCulture, $" (process {pid})") : "";
        }
        catch (IOException)
        {
            // Where locks are mandatory the holder cannot be read; the refusal stands without it.
            return "";
        }
    }

    public void Dispose() => _lock.Dispose();
}
