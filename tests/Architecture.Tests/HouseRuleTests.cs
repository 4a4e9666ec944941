using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Architecture.Tests;

/// <summary>House rules that a machine can hold.</summary>
public sealed partial class HouseRuleTests
{
    private const int LongestFile = 400;

    [Fact]
    public void No_stub_and_no_unfinished_mark_is_left()
    {
        foreach (var (path, text) in Tracked(".cs", ".proto", ".sh", ".py", ".c"))
        {
            if (path.EndsWith("HouseRuleTests.cs", StringComparison.Ordinal)) continue;
            Assert.False(Unfinished().IsMatch(text), $"{path}: {Unfinished().Match(text).Value}");
        }
    }

    [Fact]
    public void Files_are_one_idea_long()
    {
        var long_ = Tracked(".cs").Where(f => f.Text.Count(c => c == '\n') > LongestFile).Select(f => f.Path);
        Assert.Empty(long_);
    }

    /// <summary>Secrets live in fixed-width constant-time arithmetic; BigInteger may serve public numbers, in the files named here.</summary>
    [Fact]
    public void BigInteger_stays_away_from_secrets()
    {
        // Moduli and the constants made from them, a public key's parameters, and the primes of a new key: all of it published.
        string[] publicNumbers =
        [
            "src/Otr.Core/Crypto/Montgomery/MontgomeryField.cs", "src/Otr.Core/Crypto/Montgomery/MontgomeryField{TKernel}.cs",
            "src/Otr.Core/Keys/DsaDomain.cs", "src/Otr.Core/Keys/DsaParameters.cs", "src/Otr.Core/Keys/DsaScalarField.cs", "src/Otr.Core/Keys/MillerRabin.cs",
        ];
        var uses = Tracked(".cs").Where(f => f.Path.StartsWith("src/", StringComparison.Ordinal) && f.Text.Contains("BigInteger", StringComparison.Ordinal)).Select(f => f.Path);
        Assert.Empty(uses.Except(publicNumbers));
    }

    /// <summary>
    /// What a method clears at its end, it wipes: the compiler may leave out such a store, as nobody reads it, but not
    /// <see cref="System.Security.Cryptography.CryptographicOperations.ZeroMemory"/>. At the beginning Clear is an initial value.
    /// </summary>
    [Fact]
    public void Secrets_are_wiped_in_one_way()
    {
        foreach (var (path, text) in Tracked(".cs").Where(f => f.Path.StartsWith("src/Otr.Core/", StringComparison.Ordinal)))
            Assert.False(WipedByClear().IsMatch(text), $"{path}: {WipedByClear().Match(text).Value.Trim()} Use CryptographicOperations.ZeroMemory.");
    }

    // A local span, alone or after others, before the method returns; fields and properties are collections.
    [GeneratedRegex(@"Array\.Clear\(|^ +([a-z]\w*|new Span<\w+>\([^;]*\))\.Clear\(\);\n(\s*[a-z]\w*\.Clear\(\);\n)*\s*(return\b|\})", RegexOptions.Multiline)]
    private static partial Regex WipedByClear();

    [GeneratedRegex(@"NotImplementedException|CONTRACT STUB|\bTODO\b|\bFIXME\b|\bHACK\b")]
    private static partial Regex Unfinished();

    private static IEnumerable<(string Path, string Text)> Tracked(params string[] endings)
    {
        using var git = Process.Start(new ProcessStartInfo("git", "ls-files") { RedirectStandardOutput = true, WorkingDirectory = Repository.Root })!;
        var files = git.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        git.WaitForExit();
        Assert.NotEmpty(files);
        return files.Where(f => endings.Any(e => f.EndsWith(e, StringComparison.Ordinal)) && File.Exists(Path.Combine(Repository.Root, f)))
            .Select(f => (f, File.ReadAllText(Path.Combine(Repository.Root, f))));
    }
}
