namespace Deploy.Tests;

/// <summary>The files that an operator gets.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    public static string Text(params string[] parts) => File.ReadAllText(PathOf(parts));

    private static string FindRoot()
    {
        var d = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(d.FullName, "Relay.sln"))) d = d.Parent ?? throw new InvalidOperationException("Relay.sln is not above the test's folder.");
        return d.FullName;
    }
}
