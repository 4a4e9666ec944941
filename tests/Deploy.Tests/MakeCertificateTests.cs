using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Deploy.Tests;

/// <summary>`make-certificate` with the system's openssl, its work read by another implementation.</summary>
public sealed class MakeCertificateTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("relay-certificate");

    private string Certificate => Path.Combine(_directory.FullName, "relay.crt");
    private string Key => Path.Combine(_directory.FullName, "relay.key");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task It_is_for_the_names_given_and_loopback_and_its_key_is_private()
    {
        var (code, _) = await MakeAsync("relay", "10.1.2.3", "fe80::1", "3com.example");
        Assert.Equal(0, code);
        using var made = X509Certificate2.CreateFromPemFile(Certificate, Key);
        var names = made.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        Assert.Equal(["localhost", "relay", "3com.example"], names.EnumerateDnsNames());
        Assert.Equal(["127.0.0.1", "::1", "10.1.2.3", "fe80::1"], names.EnumerateIPAddresses().Select(a => a.ToString()));
        Assert.False(made.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
        Assert.InRange(made.NotAfter, DateTime.Now.AddDays(395), DateTime.Now.AddDays(398));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Key));
    }

    [Fact]
    public async Task One_that_is_good_is_kept()
    {
        await MakeAsync("relay");
        var before = (File.ReadAllText(Certificate), File.ReadAllText(Key));
        Assert.Equal(0, (await MakeAsync("another")).Code);
        Assert.Equal(before, (File.ReadAllText(Certificate), File.ReadAllText(Key)));
    }

    [Fact]
    public async Task One_of_its_own_that_is_about_to_end_is_made_again()
    {
        Given("O=Relay self-made, CN=relay", days: 29);
        Assert.Equal(0, (await MakeAsync("relay")).Code);
        using var made = X509Certificate2.CreateFromPemFile(Certificate, Key);
        Assert.True(made.NotAfter > DateTime.Now.AddDays(300));
    }

    [Fact]
    public async Task Somebody_elses_is_left_even_when_it_is_about_to_end()
    {
        Given("O=Example, CN=relay.example.org", days: 29);
        var before = (File.ReadAllText(Certificate), File.ReadAllText(Key));
        var (code, error) = await MakeAsync("relay");
        Assert.Equal(0, code);
        Assert.Contains("replace it", error, StringComparison.Ordinal);
        Assert.Equal(before, (File.ReadAllText(Certificate), File.ReadAllText(Key)));
    }

    [Fact]
    public async Task A_key_without_its_certificate_is_not_overwritten()
    {
        File.WriteAllText(Key, "somebody's");
        var (code, error) = await MakeAsync("relay");
        Assert.Equal(1, code);
        Assert.Contains("relay.key", error, StringComparison.Ordinal);
        Assert.Equal("somebody's", File.ReadAllText(Key));
        Assert.False(File.Exists(Certificate));
    }

    [Fact]
    public async Task What_a_crash_left_half_made_is_made_anew()
    {
        // Between the two moves: the new key is in its place, its certificate is not yet.
        await MakeAsync("relay");
        File.Move(Certificate, Certificate + ".new");
        Assert.Equal(0, (await MakeAsync("relay")).Code);
        X509Certificate2.CreateFromPemFile(Certificate, Key).Dispose();
    }

    private void Given(string subject, int days)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-300), DateTimeOffset.UtcNow.AddDays(days));
        File.WriteAllText(Certificate, certificate.ExportCertificatePem());
        File.WriteAllText(Key, key.ExportPkcs8PrivateKeyPem());
    }

    private async Task<(int Code, string Error)> MakeAsync(params string[] names)
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(d => File.Exists(Path.Combine(d, "openssl"))), "The command 'openssl' is not installed.");
        var start = new ProcessStartInfo("sh", [Repository.PathOf("deploy", "make-certificate.sh"), _directory.FullName, .. names])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var script = Process.Start(start)!;
        var output = script.StandardOutput.ReadToEndAsync();
        var error = await script.StandardError.ReadToEndAsync();
        await output;
        await script.WaitForExitAsync();
        return (script.ExitCode, error);
    }
}
