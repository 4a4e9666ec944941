using Otr.Core;

namespace Relay.Simulation.Tests;

/// <summary>DSA-1024 keys made by OpenSSL, fixed so that a schedule has the same bytes everywhere.</summary>
internal static class TestKeys
{
    private const int NumbersPerKey = 5;

    private static readonly Lazy<byte[][][]> Numbers = new(() => [.. File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "test-keys.txt")).Select(Convert.FromHexString).Chunk(NumbersPerKey)]);
    private static readonly Lazy<DsaPrivateKey[]> Shared = new(() => [.. Enumerable.Range(0, Numbers.Value.Length).Select(Copy)]);

    /// <summary>One that is never disposed of.</summary>
    public static DsaPrivateKey Of(int which) => Shared.Value[which % Shared.Value.Length];

    /// <summary>One that is the callee's.</summary>
    public static DsaPrivateKey Copy(int which)
    {
        var n = Numbers.Value[which % Numbers.Value.Length];
        return DsaPrivateKey.TryImport(n[0], n[1], n[2], n[3], n[4], out var key) ? key : throw new InvalidDataException("A test key was refused.");
    }
}
