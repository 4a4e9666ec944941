using System.Diagnostics;
using System.Text.RegularExpressions;
using Relay.Gateway.Hosting;

namespace Deploy.Tests;

/// <summary>`make-secrets`, whose files relays and engines must read alike.</summary>
public sealed class MakeSecretsTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("relay-secrets");

    public MakeSecretsTests()
    {
        foreach (var name in (string[])["relays", "postgres", "rabbitmq"]) _directory.CreateSubdirectory(name);
    }

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Relays_and_engines_get_the_same_passwords_and_each_only_its_own()
    {
        Assert.Equal(0, await MakeAsync());
        var password = Read("postgres", "password");
        Assert.Matches("^[0-9a-f]{48}$", password);
        Assert.Equal($"postgresql://relay:{password}@postgres:5432/relay", Read("relays", "database").Trim());
        Assert.Contains($"Password={password}", DatabaseAddress.ToConnectionString(Read("relays", "database")), StringComparison.OrdinalIgnoreCase);
        var broker = new Uri(Read("relays", "broker").Trim());
        Assert.Equal(("amqp", "rabbitmq", 5672, "/relay"), (broker.Scheme, broker.Host, broker.Port, broker.AbsolutePath));
        var configured = Regex.Match(Read("rabbitmq", "10-relay.conf"), @"^default_pass = ([0-9a-f]{48})$", RegexOptions.Multiline).Groups[1].Value;
        Assert.Equal($"relay:{configured}", broker.UserInfo);
        Assert.NotEqual(password, configured);
        Assert.Contains("rabbitmq_consistent_hash_exchange", Read("rabbitmq", "enabled_plugins"), StringComparison.Ordinal);
        Assert.All(Directory.GetFiles(PathOf("relays")), f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(f)));
    }

    [Fact]
    public async Task What_is_there_is_kept_and_what_is_missing_is_made_to_fit()
    {
        await MakeAsync();
        var database = Read("relays", "database");
        var password = Read("postgres", "password");
        File.Delete(Path.Combine(PathOf("postgres"), "password"));
        await File.WriteAllTextAsync(Path.Combine(PathOf("relays"), "broker"), "amqp://somebody@else/\n");
        Assert.Equal(0, await MakeAsync());
        Assert.Equal((database, password), (Read("relays", "database"), Read("postgres", "password")));
        Assert.Equal("amqp://somebody@else/\n", Read("relays", "broker"));
    }

    private string PathOf(string name) => Path.Combine(_directory.FullName, name);

    private string Read(string directory, string file) => File.ReadAllText(Path.Combine(PathOf(directory), file));

    private async Task<int> MakeAsync()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(d => File.Exists(Path.Combine(d, "openssl"))), "The command 'openssl' is not installed.");
        var start = new ProcessStartInfo("sh", [Repository.PathOf("deploy", "make-secrets.sh"), PathOf("relays"), PathOf("postgres"), PathOf("rabbitmq")]) { RedirectStandardOutput = true };
        using var script = Process.Start(start)!;
        await script.StandardOutput.ReadToEndAsync();
        await script.WaitForExitAsync();
        return script.ExitCode;
    }
}
