namespace Relay.Bridges.Tests;

/// <summary>The checkout that the tests run in.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Relay.sln"))) directory = directory.Parent ?? throw new InvalidOperationException("Not in a checkout.");
        return directory.FullName;
    }
}
