using System.Runtime.InteropServices;

namespace Relay.Storage.Files;

/// <summary>
/// Renames that survive the loss of power: a file flushed and renamed is whole, but which name it has is the directory's
/// to say, and that is on disk only once the directory was flushed, too.
/// </summary>
public static class DurableFile
{
    private const int ReadOnly = 0, InvalidArgument = 22;

    /// <summary>Gives a file, whose content is on disk already, its name; returns once that is on disk as well.</summary>
    /// <exception cref="IOException">There is a file of that name and it is not to be replaced, or the directory cannot be flushed.</exception>
    public static void Rename(string from, string to, bool overwrite)
    {
        File.Move(from, to, overwrite);
        FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(to))!);
    }

    /// <summary>Waits until the directory's entries are on disk. Windows has no such call, and its file systems journal renames.</summary>
    /// <exception cref="IOException">It is no directory, or the disk refuses.</exception>
    public static void FlushDirectory(string directory)
    {
        if (OperatingSystem.IsWindows()) return;
        // The final separator makes it fail for anything but a directory.
        int descriptor = Open(directory + "/", ReadOnly);
        if (descriptor < 0) throw Failed(directory);
        try
        {
            // Some network and overlay file systems have nothing to flush in a directory, and say so.
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
