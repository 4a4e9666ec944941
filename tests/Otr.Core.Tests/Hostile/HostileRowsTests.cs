using System.Reflection;

namespace Otr.Core.Tests.Hostile;

/// <summary>Every row of the list of hostile inputs for versions 2 and 3 has a test here by its id, or a home that is named.</summary>
public sealed class HostileRowsTests
{
    private static readonly string[] Rows =
    [
        .. Ids('P', 15), .. Ids('K', 18), .. Ids('I', 3), .. Ids('F', 8), .. Ids('D', 21), .. Ids('S', 12), "S01b",
    ];

    // What the core cannot see.
    private static readonly Dictionary<string, string> Elsewhere = new()
    {
        ["P14"] = "control characters and markup in decrypted text are the bridge's to split and escape",
    };

    private static IEnumerable<string> Ids(char letter, int count) => Enumerable.Range(1, count).Select(i => $"{letter}{i:d2}");

    private static IEnumerable<(string Id, MethodInfo Test)> Tests =>
        from type in typeof(HostileRowsTests).Assembly.GetTypes()
        from method in type.GetMethods()
        where method.GetCustomAttribute<FactAttribute>() is not null
        from trait in method.GetCustomAttributes<TraitAttribute>().Concat(type.GetCustomAttributes<TraitAttribute>())
        where trait.Name == "hostile"
        select (trait.Value, method);

    [Fact]
    public void Every_row_has_a_test_or_a_home()
    {
        var tested = Tests.Select(t => t.Id).ToHashSet();
        Assert.Equal([], Rows.Where(id => !tested.Contains(id) && !Elsewhere.ContainsKey(id)));
    }

    [Fact]
    public void Every_test_names_a_row_that_exists() => Assert.Equal([], Tests.Select(t => t.Id).Except(Rows));

    [Fact]
    public void Tests_in_this_folder_have_their_id_in_their_name() =>
        Assert.Equal([], Tests.Where(t => t.Test.DeclaringType!.Namespace == GetType().Namespace && !t.Test.Name.StartsWith(t.Id + "_", StringComparison.Ordinal)).Select(t => t.Test.Name));
}
