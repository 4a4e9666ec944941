using System.Runtime.InteropServices;

namespace Relay.Storage.Files;

/// <summary>
/// Renames that survive a power loss. Flushing a file makes its content durable; its name is durable only after its directory was
/// flushed as well.
/// </summary>
public static class DurableFile
{
    private const int ReadOnly = 0, InvalidArgument = 22;

    /// <summary>Renames a file whose content is on disk already; returns when the new name is on disk as well.</summary>
    /// <exception cref="IOException">The new name exists and must not be overwritten, or the directory cannot be flushed.</exception>
    public static void Rename(string from, string to, bool overwrite)
    {
        File.Move(from, to, overwrite);
        FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(to))!);
    }

    /// <summary>
    /// Flushes a directory's entries to disk. Does nothing on Windows, which has no such call and whose file systems journal renames.
    /// </summary>
    /// <exception cref="IOException">The path is not a directory, or the disk refuses.</exception>
    public static void FlushDirectory(string directory)
    {
        if (OperatingSystem.IsWindows()) return;
        // With the final separator, open fails for anything but a directory.
        int descriptor = Open(directory + "/", ReadOnly);
        if (descriptor < 0) throw Failed(directory);
        try
        {
            // Some network and overlay file systems do not support fsync on a directory and return EINVAL.
            if (Flush(descriptor) != 0 && Marshal.GetLastPInvokeError() != InvalidArgument) throw Failed(directory);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static IOException Failed(string directory)
        => new($"The directory {directory} cannot be flushed: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static extern int Flush(int descriptor);

    [DllImport("libc", EntryPoint = "close")]
    private static extern int Close(int descriptor);
}
