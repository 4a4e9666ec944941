namespace Architecture.Tests;

/// <summary>Where the sources are: the folder of Relay.sln, above the test's own.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        var d = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(d.FullName, "Relay.sln"))) d = d.Parent ?? throw new InvalidOperationException("Relay.sln is not above the test's folder.");
        return d.FullName;
    }
}
