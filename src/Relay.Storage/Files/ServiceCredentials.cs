namespace Relay.Storage.Files;

/// <summary>
/// The directory of credentials that a service manager gives to one service (LoadCredential= of systemd). It lies in memory, and nobody but
/// the service comes into it; the files may have an access list, whose mask their mode shows as rights of the group.
/// </summary>
public static class ServiceCredentials
{
    /// <summary>True if the file lies in that directory and others have no access to it.</summary>
    public static bool Hold(string path) => !OperatingSystem.IsWindows()
        && Environment.GetEnvironmentVariable("CREDENTIALS_DIRECTORY") is { Length: > 0 } directory
        && Path.GetDirectoryName(Path.GetFullPath(path)) == Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory))
        && (File.GetUnixFileMode(path) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.GroupWrite)) == 0;
}
