using System.Text;
using Relay.Storage.Files;

namespace Relay.Cli.Keys;

/// <summary>
/// The new file of a secret. It is opened before the secret exists, so that a path that cannot be written is refused first, and it is
/// deleted again unless the secret was written.
/// </summary>
internal sealed class NewKeyFile : IDisposable
{
    private readonly string _path;
    private readonly FileStream _file;
    private bool _isWritten;

    private NewKeyFile(string path, FileStream file) => (_path, _file) = (path, file);

    /// <summary>Creates the file, empty and with mode 0600. An existing one is not opened.</summary>
    /// <exception cref="CommandFailure">The file exists, or cannot be created.</exception>
    public static NewKeyFile Create(string path)
    {
        const string advice = "Choose another file with --out.";
        // No buffer: what a write does not take is an error of the write, not of a later flush.
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            return new NewKeyFile(path, new FileStream(path, options));
        }
        catch (IOException e) when (File.Exists(path))
        {
            throw new CommandFailure(ExitCode.AlreadyExists, $"{path} exists already and was not changed. No key was created.", advice,
                inner: e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new CommandFailure(ExitCode.Failed, $"{path} cannot be created: {e.Message} No key was created.", advice, inner: e);
        }
    }

    /// <summary>Writes the secret; returns when content and name of the file are on disk.</summary>
    /// <exception cref="IOException">The disk refuses, for example because it is full.</exception>
    public void Write(string token)
    {
        _file.Write(Encoding.ASCII.GetBytes(token + "\n"));
        _file.Flush(flushToDisk: true);
        DurableFile.FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(_path))!);
        _isWritten = true;
    }

    public void Dispose()
    {
        _file.Dispose();
        if (!_isWritten) File.Delete(_path);
    }
}
