using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Fuzz;

/// <summary>The corpus: wire texts as they were sent in a real conversation, one file each.</summary>
internal static class CorpusFile
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Fuzz", "Corpus");

    public static IReadOnlyList<byte[]> All { get; } = [.. Directory.GetFiles(Folder).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];

    /// <summary>Writes the corpus anew, from a recording; for the one who keeps it.</summary>
    public static void Write(string folder)
    {
        foreach (var version in new[] { 3, 2 })
            foreach (var moment in Recording.Of(version).Moments)
                File.WriteAllBytes(Path.Combine(folder, $"v{version} {moment.Name}.txt"), moment.Wire);
    }
}
