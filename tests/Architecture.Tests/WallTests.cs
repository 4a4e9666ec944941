using System.Reflection;
using System.Runtime.CompilerServices;
using System.Xml.Linq;

namespace Architecture.Tests;

/// <summary>Holds the walls around the product and around its stores, on the project files and on what was compiled from them.</summary>
public sealed class WallTests
{
    private static readonly string[] s_databases = ["Npgsql", "Microsoft.Data.Sqlite", "SQLitePCLRaw"];

    public static TheoryData<string> Product => [.. Names("src")];

    /// <summary>Outside are the lab, the benchmarks and the tests: the container image has none of their sources.</summary>
    [Theory, MemberData(nameof(Product))]
    public void The_product_is_built_from_src_and_protos_only(string project)
    {
        var folder = Path.Combine(Repository.Root, "src", project);
        string[] inside = [Path.Combine(Repository.Root, "src") + "/", Path.Combine(Repository.Root, "protos") + "/"];
        var above = XDocument.Load(Path.Combine(folder, project + ".csproj")).Descendants().Select(e => e.Attribute("Include")?.Value)
            .Where(i => i is not null && i.StartsWith("..", StringComparison.Ordinal)).SelectMany(i => i!.Split(';'));
        Assert.All(above, i => Assert.Contains(inside, d => Path.GetFullPath(i, folder).StartsWith(d, StringComparison.Ordinal)));
        var others = Names("tools").Concat(Names("bench")).Select(n => AssemblyName(n)).ToList();
        Assert.Contains("relay-lab", others);
        Assert.Empty(Load(project).GetReferencedAssemblies().Select(a => a.Name!).Intersect(others));
    }

    [Theory, MemberData(nameof(Product))]
    public void Internals_of_the_product_are_open_to_tests_and_benchmarks_only(string project)
    {
        var friends = Load(project).GetCustomAttributes<InternalsVisibleToAttribute>().Select(a => a.AssemblyName);
        Assert.Empty(friends.Except(Names("tests").Concat(Names("bench"))));
    }

    [Theory, MemberData(nameof(Product))]
    public void Databases_are_known_to_Relay_Storage_only(string project)
    {
        var known = Load(project).GetReferencedAssemblies().Select(a => a.Name!)
            .Where(n => s_databases.Any(d => n.StartsWith(d, StringComparison.Ordinal)));
        if (project == "Relay.Storage") Assert.NotEmpty(known);
        else Assert.Empty(known);
    }

    [Theory, MemberData(nameof(Product))]
    public void Akka_is_known_to_Relay_Actors_only(string project)
    {
        var known = Load(project).GetReferencedAssemblies().Where(a => a.Name!.StartsWith("Akka", StringComparison.Ordinal));
        if (project == "Relay.Actors") Assert.NotEmpty(known);
        else Assert.Empty(known);
    }

    /// <summary>What decides about a conversation runs in the simulation, which has no actors, tasks or clock of a machine.</summary>
    [Theory]
    [InlineData("Relay.Actors.Conversations.ConversationTurn")]
    [InlineData("Relay.Actors.Conversations.ConversationState")]
    [InlineData("Relay.Actors.Conversations.RequestLog")]
    [InlineData("Relay.Actors.Conversations.OutboxTranslator")]
    public void A_turn_knows_no_actor_task_or_clock(string type)
    {
        const BindingFlags all = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        var turn = Load("Relay.Actors").GetType(type, throwOnError: true)!;
        var used = turn.GetFields(all).Select(f => f.FieldType)
            .Concat(turn.GetMethods(all).SelectMany(Types)).Concat(turn.GetConstructors(all).SelectMany(c => Types(c))).ToList();
        Assert.NotEmpty(used);
        Assert.DoesNotContain(used, t => t.Namespace is { } space && (space.StartsWith("Akka", StringComparison.Ordinal) || space.StartsWith("System.Threading.Tasks", StringComparison.Ordinal)));
        Assert.DoesNotContain(typeof(TimeProvider), used);
        var source = File.ReadAllText(Path.Combine(Repository.Root, "src", "Relay.Actors", "Conversations", type.Split('.')[^1] + ".cs"));
        Assert.DoesNotContain(["using Akka", "Akka.", "async ", "await ", "UtcNow"], source.Contains);
    }

    private static IEnumerable<Type> Types(MethodBase method) =>
        [.. method.GetParameters().Select(p => p.ParameterType), .. method.GetMethodBody()?.LocalVariables.Select(l => l.LocalType) ?? [], (method as MethodInfo)?.ReturnType ?? typeof(void)];

    /// <summary>A store holds sealed bytes of endpoints and peers; a model of it can take its place because it knows nothing else of ours.</summary>
    [Fact]
    public void Relay_Storage_knows_nothing_else_of_ours()
    {
        var ours = Names("src").Concat(Names("tools")).Concat(Names("bench")).Select(AssemblyName);
        Assert.Empty(Load("Relay.Storage").GetReferencedAssemblies().Select(a => a.Name!).Intersect(ours));
    }

    private static IEnumerable<string> Names(string folder) =>
        Directory.GetDirectories(Path.Combine(Repository.Root, folder))
            .Where(d => Directory.GetFiles(d, "*.csproj").Length > 0).Select(d => Path.GetFileName(d)!);

    private static Assembly Load(string project) =>
        Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, AssemblyName(project) + ".dll"));

    /// <summary>As the project file names it; by default, like the project.</summary>
    private static string AssemblyName(string project)
    {
        string[] folders = ["src", "tools", "bench"];
        var file = folders.Select(d => Path.Combine(Repository.Root, d, project, project + ".csproj")).Single(File.Exists);
        return XDocument.Load(file).Descendants("AssemblyName").SingleOrDefault()?.Value ?? project;
    }
}
