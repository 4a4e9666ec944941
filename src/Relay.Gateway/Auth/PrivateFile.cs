using Relay.Actors;
using Relay.Storage;
using Relay.Storage.Files;

namespace Relay.Gateway.Auth;

/// <summary>Files that only their owner may read.</summary>
public static class PrivateFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes the whole file or nothing: a crash leaves the old one. Mode 0600 from the first byte on.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var temporary = path + ".new";
        File.Delete(temporary);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
        using (var file = new FileStream(temporary, options))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }
        DurableFile.Rename(temporary, path, overwrite: true);
    }

    /// <summary>True if others than the owner may do anything with the file; always false on Windows.</summary>
    public static bool IsOpenToOthers(string path) =>
        !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & ~(OwnerOnly | UnixFileMode.UserExecute)) != 0;

    /// <summary>Reads a file that holds a secret.</summary>
    /// <exception cref="RelayStartException">Others than its owner may do anything with it.</exception>
    public static string ReadSecret(string path)
    {
        if (IsOpenToOthers(path)) throw new RelayStartException($"{path} holds a secret and is open to others than its owner. Make it private: chmod 600 {path}");
        return File.ReadAllText(path);
    }

    /// <summary>
    /// True if everybody may read the file, or others than the owner may write it; a group may read it, as certificates' keys
    /// are handed out. Always false on Windows.
    /// </summary>
    public static bool IsOpenToEverybody(string path)
    {
        const UnixFileMode much = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.GroupWrite;
        return !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & much) != 0;
    }
}
