namespace Otr.Core.Tests.Kit;

/// <summary>Four DSA-1024/160 keys made by OpenSSL, fixed so that a seeded conversation has the same bytes everywhere.</summary>
internal static class TestKeys
{
    private const int NumbersPerKey = 5;

    private static readonly Lazy<DsaPrivateKey[]> Keys = new(() =>
        [.. File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Kit", "test-keys.txt")).Select(Convert.FromHexString).Chunk(NumbersPerKey).Select(Import)]);

    public static DsaPrivateKey Of(int seed) => Keys.Value[seed % Keys.Value.Length];

    private static DsaPrivateKey Import(byte[][] n) =>
        DsaPrivateKey.TryImport(n[0], n[1], n[2], n[3], n[4], out var key) ? key : throw new InvalidDataException("A test key was refused.");
}
