using Relay.Storage.Files;

namespace Relay.Storage.Tests.Files;

/// <summary>Names that are on disk before anybody relies on them.</summary>
public sealed class DurableFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-test-").FullName;

    private string At(string name) => Path.Combine(_directory, name);

    [Fact]
    public void A_file_gets_its_name_and_replaces_another_only_if_it_may()
    {
        File.WriteAllText(At("new"), "second");
        File.WriteAllText(At("file"), "first");
        Assert.Throws<IOException>(() => DurableFile.Rename(At("new"), At("file"), overwrite: false));
        Assert.Equal("first", File.ReadAllText(At("file")));
        DurableFile.Rename(At("new"), At("file"), overwrite: true);
        Assert.Equal("second", File.ReadAllText(At("file")));
        Assert.False(File.Exists(At("new")));
    }

    [Fact]
    public void A_directory_is_really_opened_and_flushed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no flush of a directory.");
        DurableFile.FlushDirectory(_directory);
        Assert.Contains("No such file", Assert.Throws<IOException>(() => DurableFile.FlushDirectory(At("missing"))).Message, StringComparison.Ordinal);
        File.WriteAllText(At("file"), "");
        Assert.Contains("Not a directory", Assert.Throws<IOException>(() => DurableFile.FlushDirectory(At("file"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Descriptors_are_given_back()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux lists a process's descriptors.");
        int Open() => Directory.GetFileSystemEntries("/proc/self/fd").Count(f => new FileInfo(f).LinkTarget?.StartsWith(_directory, StringComparison.Ordinal) == true);
        for (int i = 0; i < 20; i++) DurableFile.FlushDirectory(_directory);
        Assert.Equal(0, Open());
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
