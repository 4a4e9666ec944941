using Relay.Actors;
using Relay.Storage;
using Relay.Storage.Files;

namespace Relay.Gateway.Auth;

/// <summary>Writes and reads files that only their owner may access.</summary>
public static class PrivateFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Replaces the file atomically: after a crash the old content is still there. The mode is 0600 from the start.</summary>
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

    /// <summary>True if anybody but the owner has any access to the file; always false on Windows.</summary>
    public static bool IsOpenToOthers(string path) =>
        !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & ~(OwnerOnly | UnixFileMode.UserExecute)) != 0
        && !ServiceCredentials.Hold(path);

    /// <summary>Reads a file that holds a secret.</summary>
    /// <exception cref="RelayStartException">Anybody but the owner has access to the file.</exception>
    public static string ReadSecret(string path)
    {
        if (IsOpenToOthers(path))
        {
            throw new RelayStartException(
                $"{path} contains a secret, and others than its owner have access to it. Make it private: chmod 600 {path}");
        }
        return File.ReadAllText(path);
    }

    /// <summary>
    /// True if everybody may read the file, or others than the owner may write it. Read access of the group is accepted, because
    /// keys of certificates are often shared that way. Always false on Windows.
    /// </summary>
    public static bool IsOpenToEverybody(string path)
    {
        const UnixFileMode much = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.GroupWrite;
        return !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & much) != 0;
    }
}
