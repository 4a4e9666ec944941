using System.Security.Cryptography;

namespace Relay.Proxy.Storage;

/// <summary>Files that only their owner reads (0600), replaced as a whole.</summary>
internal static class SafeFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Creates a folder that only its owner enters (0700).</summary>
    public static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, OwnerOnly | UnixFileMode.UserExecute);
    }

    /// <summary>The content; null if there is no file. The caller wipes it if it is secret.</summary>
    public static byte[]? Read(string path) => File.Exists(path) ? File.ReadAllBytes(path) : null;

    /// <summary>Replaces a file: after a crash it has the old content or the new one.</summary>
    /// <param name="isDurable">It survives a loss of power, too.</param>
    public static void Write(string path, ReadOnlySpan<byte> content, bool isDurable = true)
    {
        var temporary = path + ".new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
        using (var file = new FileStream(temporary, options))
        {
            // One that a crash has left may have another mode.
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file.SafeFileHandle, OwnerOnly);
            file.Write(content);
            file.Flush(isDurable);
        }
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Replaces a file and wipes the content in memory.</summary>
    public static void WriteSecret(string path, byte[] content, int length)
    {
        try
        {
            Write(path, content.AsSpan(0, length));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
        }
    }
}
