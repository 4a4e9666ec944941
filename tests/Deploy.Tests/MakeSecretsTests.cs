using System.Diagnostics;
using Relay.Gateway.Hosting;

namespace Deploy.Tests;

/// <summary>`make-secrets`, whose files relays and PostgreSQL must read alike.</summary>
public sealed class MakeSecretsTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("relay-secrets");

    public MakeSecretsTests()
    {
        foreach (var name in (string[])["relays", "postgres"]) _directory.CreateSubdirectory(name);
    }

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Relays_and_the_database_get_the_same_password()
    {
        Assert.Equal(0, await MakeAsync());
        var password = Read("postgres", "password");
        Assert.Matches("^[0-9a-f]{48}$", password);
        Assert.Equal($"postgresql://relay:{password}@postgres:5432/relay", Read("relays", "database").Trim());
        var connection = DatabaseAddress.ToConnectionString(Read("relays", "database"));
        Assert.Contains($"Password={password}", connection, StringComparison.OrdinalIgnoreCase);
        const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.All(Directory.GetFiles(PathOf("relays")), f => Assert.Equal(ownerOnly, File.GetUnixFileMode(f)));
        // PostgreSQL runs as another user.
        Assert.True(File.GetUnixFileMode(Path.Combine(PathOf("postgres"), "password")).HasFlag(UnixFileMode.OtherRead));
    }

    [Fact]
    public async Task What_is_there_is_kept_and_what_is_missing_is_made_to_fit()
    {
        await MakeAsync();
        var password = Read("postgres", "password");
        File.Delete(Path.Combine(PathOf("postgres"), "password"));
        await File.WriteAllTextAsync(Path.Combine(PathOf("relays"), "database"), "Host=else;Username=somebody\n");
        Assert.Equal(0, await MakeAsync());
        Assert.Equal(password, Read("postgres", "password"));
        Assert.Equal("Host=else;Username=somebody\n", Read("relays", "database"));
    }

    private string PathOf(string name) => Path.Combine(_directory.FullName, name);

    private string Read(string directory, string file) => File.ReadAllText(Path.Combine(PathOf(directory), file));

    private async Task<int> MakeAsync()
    {
        var path = Environment.GetEnvironmentVariable("PATH")!.Split(':');
        Assert.SkipUnless(path.Any(d => File.Exists(Path.Combine(d, "openssl"))), "The command 'openssl' is not installed.");
        string[] arguments = [Repository.PathOf("deploy", "make-secrets.sh"), PathOf("relays"), PathOf("postgres")];
        var start = new ProcessStartInfo("sh", arguments) { RedirectStandardOutput = true };
        using var script = Process.Start(start)!;
        await script.StandardOutput.ReadToEndAsync();
        await script.WaitForExitAsync();
        return script.ExitCode;
    }
}
