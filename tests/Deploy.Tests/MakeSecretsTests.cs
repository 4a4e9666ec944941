using System.Diagnostics;
using System.Text.RegularExpressions;
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
        Assert.Contains($"Password={password}", DatabaseAddress.ToConnectionString(Read("relays", "database")), StringComparison.OrdinalIgnoreCase);
        Assert.All(Directory.GetFiles(PathOf("relays")), f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(f)));
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
        Assert.SkipUnless(Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(d => File.Exists(Path.Combine(d, "openssl"))), "The command 'openssl' is not installed.");
        var start = new ProcessStartInfo("sh", [Repository.PathOf("deploy", "make-secrets.sh"), PathOf("relays"), PathOf("postgres")]) { RedirectStandardOutput = true };
        using var script = Process.Start(start)!;
        await script.StandardOutput.ReadToEndAsync();
        await script.WaitForExitAsync();
        return script.ExitCode;
    }
}
